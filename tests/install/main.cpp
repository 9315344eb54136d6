#include <iostream>

#include <mien/core/parallel.hpp>
#include <mien/core/tensor.hpp>
#include <mien/version.hpp>

int main() {
  mien::Tensor<float> x({2, 3});
  mien::parallel_for(2, x.size(), [&](std::int64_t i, int) { x[i] = static_cast<float>(i); });
  std::cout << "mien " << mien::version << ": " << x.shape().to_string() << "\n";
  return x(1, 2) == 5 ? 0 : 1;
}
