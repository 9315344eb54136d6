#pragma once

#include <string_view>
#include <vector>

#include <mien/io/formats/convert.hpp>
#include <mien/io/formats/tensor_file.hpp>

/// The numbers of a stored tensor; {-99} if there is none.
inline std::vector<double> numbers_of(const mien::TensorFile& file, std::string_view name) {
  const mien::StoredTensor* tensor = file.find(name);
  if (tensor == nullptr) return {-99};
  std::vector<std::byte> bytes(tensor->bytes);
  file.read(*tensor, bytes);
  std::vector<double> numbers(static_cast<std::size_t>(tensor->shape.size()));
  mien::detail::convert_numbers(tensor->dtype, bytes, numbers.data());
  return numbers;
}

/// Whether streaming the tensor gives the bytes that reading it gives.
inline bool streams_as_it_reads(const mien::TensorFile& file, const mien::StoredTensor& tensor) {
  std::vector<std::byte> bytes(tensor.bytes), streamed;
  file.read(tensor, bytes);
  file.stream(tensor,
              [&](std::span<const std::byte> part) { streamed.insert(streamed.end(), part.begin(), part.end()); });
  return bytes == streamed;
}

/// What tests/references/weight_files.py puts into its arrays.
inline std::vector<double> halves(std::size_t count) {
  std::vector<double> numbers;
  for (std::size_t k = 0; k < count; ++k) numbers.push_back(static_cast<double>(k) / 2 - 1);
  return numbers;
}
