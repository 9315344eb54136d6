#pragma once

#include <vector>

#include <link/sample.hpp>
#include <mien/kernels/isa/registers.hpp>
#include <mien/mien.hpp>

#define MIEN_KERNEL_TEXT <link/sample.inl>
#include <mien/kernels/isa/for_each_isa.inl>

// In an unnamed namespace, so that each file calls its own copy and the linker cannot keep one for both.
namespace {

template <class T>
std::vector<T> sums_of_lengths(int longest) {
  std::vector<T> x, sums;
  for (int n = 0; n < longest; ++n) {
    x.push_back(static_cast<T>(n * 37 % 101 - 50) / T(23));
    sums.push_back(MIEN_SELECT_ISA(T, polynomial_sum)(x.data(), n + 1));
  }
  return sums;
}

std::vector<float> trained_weights() {
  using namespace mien;
  const Node x = Input({9, 9, 3});
  Node y = Conv2D{.filters = 5, .kernel_size = 3}(x);
  y = Activation{.activation = relu}(BatchNormalization{}(y));
  y = Dropout{.rate = 0.2}(Flatten{}(MaxPooling2D{}(y)));
  Model<float> model(x, Dense{.units = 3, .activation = softmax}(y), {.seed = 4, .threads = 2});
  model.compile({.optimizer = Adam{}, .loss = CategoricalCrossentropy{}});
  Tensor<float> samples({6, 9, 9, 3}), targets({6, 3});
  Random random({.seed = 8});
  for (float& value : samples) value = static_cast<float>(random.uniform());
  for (std::int64_t i = 0; i < 6; ++i) targets(i, i % 3) = 1;
  for (int step = 0; step < 3; ++step) static_cast<void>(model.train_on_batch(samples, targets));
  const auto weights = model.values().values().span();
  return {weights.begin(), weights.end()};
}

/// (1 + e)^2 - (1 + 2 e): e^2, or zero where the product is rounded by itself.
bool fuses_products_and_sums() {
  const volatile float x = 1 + 0x1p-12F, y = -(1 + 0x1p-11F);
  const float factor = x, summand = y;
  return factor * factor + summand != 0;
}

#if defined(__FMA__) && defined(__OPTIMIZE__)
constexpr bool ought_to_fuse = true;
#else
constexpr bool ought_to_fuse = false;
#endif

Sample take_sample() {
  return {sums_of_lengths<float>(150), sums_of_lengths<double>(150),
          trained_weights(),           MIEN_SELECT_ISA(float, vector_bytes)(),
          fuses_products_and_sums(),   ought_to_fuse};
}

}  // namespace
