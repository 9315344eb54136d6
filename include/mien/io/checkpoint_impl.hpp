#pragma once
// What checkpoint.hpp declares: arrays as tensors, everything else as text in the metadata, numbers in hex-float so
// that every bit comes back.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <mien/io/checkpoint.hpp>
#include <mien/io/formats/hex_float.hpp>
#include <mien/io/formats/safetensors.hpp>
#include <mien/kernels/isa/isa.hpp>
#include <mien/version.hpp>

namespace mien::inline v0 {

namespace io {

/// Collects what a run shows.
class CheckpointWriter final : public StateVisitor {
 public:
  void operator()(const char* name, bool& value) override { metadata_[name] = value ? "true" : "false"; }
  void operator()(const char* name, std::int64_t& value) override { metadata_[name] = text(value); }
  void operator()(const char* name, double& value) override { metadata_[name] = hex_float(value); }
  void operator()(const char* name, std::string& value) override { metadata_[name] = value; }
  void operator()(const char* name, std::vector<std::byte>& value) override {
    arrays_.push_back(value);
    const auto bytes = static_cast<std::int64_t>(value.size());
    tensors_.push_back({name, DType::u8, Shape{bytes}, arrays_.back()});
  }

  void write(const std::filesystem::path& path) {
    metadata_["format"] = "mien checkpoint";
    metadata_["mien_version"] = version;
    metadata_["isa"] = to_string(active_isa());
    write_safetensors(path, tensors_, metadata_);
  }

 private:
  FileMetadata metadata_;
  std::deque<std::vector<std::byte>> arrays_;  // stable addresses for the spans
  std::vector<NamedTensor> tensors_;
};

/// Gives back what a file holds. Throws FileError on anything missing or damaged.
class CheckpointReader final : public StateVisitor {
 public:
  explicit CheckpointReader(const std::filesystem::path& path) : file_(path) {
    if (const auto format = file_.metadata().find("format");
        format == file_.metadata().end() || format->second != "mien checkpoint")
      throw FileError(text("'", file_.path(), "' is not a checkpoint of mien"));
    if (const std::string& isa = entry("isa"); isa != to_string(active_isa()))
      throw FileError(text("'", file_.path(), "' was trained with the instructions '", isa, "', this process uses '",
                           to_string(active_isa()),
                           "' and would go on with other bits; set the environment variable MIEN_ISA=", isa));
  }

  void operator()(const char* name, bool& value) override {
    const std::string& word = entry(name);
    if (word != "true" && word != "false")
      throw FileError(text("'", file_.path(), "': '", name, "' should be true or false, got '", word, "'"));
    value = word == "true";
  }
  void operator()(const char* name, std::int64_t& value) override {
    const std::string& number = entry(name);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size())
      throw FileError(text("'", file_.path(), "': '", name, "' should be a whole number, got '", number, "'"));
  }
  void operator()(const char* name, double& value) override {
    const std::string& number = entry(name);
    try {
      value = parse_hex_float(number);
    } catch (const FileError& error) {
      throw FileError(text("'", file_.path(), "': '", name, "': ", error.what()));
    }
  }
  void operator()(const char* name, std::string& value) override { value = entry(name); }
  void operator()(const char* name, std::vector<std::byte>& value) override {
    const StoredTensor* tensor = file_.find(name);
    if (tensor == nullptr)
      throw FileError(text("'", file_.path(), "' has no '", name, "': it is of another run or model"));
    value.resize(tensor->bytes);
    file_.read(name, value);
  }

 private:
  [[nodiscard]] const std::string& entry(const char* name) const {
    const auto found = file_.metadata().find(name);
    if (found == file_.metadata().end())
      throw FileError(text("'", file_.path(), "' has no '", name, "': it is of another run, or of other callbacks"));
    return found->second;
  }

  SafetensorsFile file_;
};

class FileCheckpoint final : public CheckpointStore {
 public:
  explicit FileCheckpoint(CheckpointOptions options) : options_(std::move(options)) {}

  void save(const std::function<void(StateVisitor&)>& visit) override {
    CheckpointWriter writer;
    visit(writer);
    writer.write(options_.path);
  }
  bool restore(const std::function<void(StateVisitor&)>& visit) override {
    if (!options_.resume || !std::filesystem::exists(options_.path)) return false;
    CheckpointReader reader(options_.path);
    visit(reader);
    return true;
  }

 private:
  CheckpointOptions options_;
};

}  // namespace io

MIEN_INLINE std::shared_ptr<CheckpointStore> checkpoint(CheckpointOptions options) {
  return std::make_shared<io::FileCheckpoint>(std::move(options));
}

}  // namespace mien::inline v0
