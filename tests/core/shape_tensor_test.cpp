#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include <mien/core/tensor.hpp>

using namespace mien;

TEST_CASE("shape: extents, size and text") {
  const Shape shape{2, 48, 40, 3};
  CHECK(shape.rank() == 4);
  CHECK(shape.size() == 11520);
  CHECK(shape[1] == 48);
  CHECK(shape[-1] == 3);
  CHECK(shape.to_string() == "(2, 48, 40, 3)");
  CHECK(Shape{7}.to_string() == "(7,)");
  CHECK(Shape().to_string() == "()");
  CHECK(Shape().size() == 1);
  CHECK(Shape{3, 0, 2}.size() == 0);
  CHECK(shape.without_batch() == Shape{48, 40, 3});
  CHECK(shape.without_batch().with_batch(2) == shape);
  CHECK(Shape{2, 3} != Shape{3, 2});
  CHECK(Shape{2, 3} != Shape{2, 3, 1});
}

TEST_CASE("shape: what it refuses, and how it says so") {
  CHECK_THROWS_WITH_AS(Shape({1, 2, 3, 4, 5, 6, 7}), "a shape has at most 6 extents, got 7: 1, 2, 3, 4, 5, 6, 7",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Shape({2, -1}), "a shape has no negative extents, got (2, -1)", ShapeError);
  const std::int64_t large = std::int64_t{1} << 32;
  CHECK_THROWS_WITH_AS(Shape({large, large}), "the number of elements of (4294967296, 4294967296) does not fit 63 bits",
                       ShapeError);
  CHECK(Shape{std::numeric_limits<std::int64_t>::max()}.size() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("tensor: zeros, row-major indices, deep copies, cheap moves") {
  Tensor<float> x({2, 3, 4});
  for (const float value : x) CHECK(value == 0);
  CHECK(reinterpret_cast<std::uintptr_t>(x.data()) % 64 == 0);
  x(1, 2, 3) = 5;
  x(0, 1, 0) = 7;
  CHECK(x[23] == 5);
  CHECK(x[4] == 7);

  Tensor<float> copy = x;
  copy[4] = 1;
  CHECK(x[4] == 7);
  const float* const where = copy.data();
  const Tensor<float> moved = std::move(copy);
  CHECK(moved.data() == where);
  CHECK(moved.shape() == Shape{2, 3, 4});

  x.reshape({6, 4});
  CHECK(x(5, 3) == 5);
  CHECK_THROWS_WITH_AS(x.reshape({5, 5}), "cannot reshape (6, 4) to (5, 5): 24 elements", ShapeError);
  CHECK_THROWS_WITH_AS(Tensor<float>({2, 2}, {1, 2, 3}), "a tensor of shape (2, 2) has 4 elements, got 3", ShapeError);
}

TEST_CASE("views: they share the elements, and a view of nothing is false") {
  Tensor<double> x({2, 2}, {1, 2, 3, 4});
  const TensorView<double> view = x;
  view[2] = 30;
  CHECK(x(1, 0) == 30);
  const TensorView<const double> reads = view;
  CHECK(reads.data() == x.data());
  CHECK(reads.span().size() == 4);
  CHECK(bool(reads));
  CHECK_FALSE(bool(TensorView<double>()));
  CHECK(TensorView<double>().size() == 0);
}

TEST_CASE("text: numbers in their shortest form, lists with a separator") {
  CHECK(text("got ", 0.1, ", ", -3, ' ', true, " of ", Shape{2, 3}) == "got 0.1, -3 true of (2, 3)");
  CHECK(join(std::vector<int>{1, 2, 3}) == "1, 2, 3");
  CHECK(join(std::vector<std::string>{"a", "b"}, " or ") == "a or b");
  CHECK(join(std::vector<int>{}).empty());
}
