#pragma once
// Files that are not part of the project.

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

/// The folder that an environment variable names, or shared/NAME beside the checkout; nothing if there is neither.
inline std::optional<std::filesystem::path> folder_beside(const char* variable, const std::string& name) {
  if (const char* given = std::getenv(variable)) return given;
  const std::filesystem::path beside = std::string(MIEN_TEST_REFERENCES "/../../../shared/") + name;
  return std::filesystem::is_directory(beside) ? std::optional(beside) : std::nullopt;
}

/// With fer2013_mini_XCEPTION.107-0.66.hdf5 and fashion.keras, real models of Keras.
inline std::optional<std::filesystem::path> keras_models_folder() {
  return folder_beside("MIEN_KERAS_MODELS", "models");
}
