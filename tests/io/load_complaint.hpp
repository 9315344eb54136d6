#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <string>

#include <mien/io.hpp>
#include <mien/mien.hpp>

inline bool same_weights(const mien::Model<float>& a, const mien::Model<float>& b) {
  const auto x = a.values().values().span(), y = b.values().values().span();
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size_bytes()) == 0;
}

/// What load_weights complains about; "" if it loads. Checks that the model is as it was then.
inline std::string load_complaint(mien::Model<float>& model, const std::filesystem::path& path) {
  const mien::Model<float> before = model;
  try {
    mien::load_weights(model, path);
    return "";
  } catch (const mien::FileError& error) {
    CHECK(same_weights(model, before));
    return error.what();
  }
}
