#pragma once
// What the programs about emotions share.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include <CLI/CLI.hpp>

#include <mien/images.hpp>
#include <mien/io.hpp>
#include <mien/mien.hpp>

#include "options.hpp"

namespace emotions {

/// Training and validation pictures.
struct Faces {
  mien::Dataset train, validation;
};

/// "angry,happy,sad" as a list.
inline std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t first = 0; first < list.size();) {
    const std::size_t end = std::min(list.find(',', first), list.size());
    items.push_back(list.substr(first, end - first));
    first = end + 1;
  }
  return items;
}

/// Names what a folder held that is no picture; the rest is used.
inline void report_unreadable(const mien::Dataset& data) {
  for (const mien::UnreadableFile& file : data.unreadable())
    std::cerr << "left out: " << file.file << ": " << file.reason << "\n";
  if (!data.unreadable().empty()) std::cerr << data.unreadable().size() << " files left out\n";
}

/// The folder with the classes' folders: DIR/NAME if there is one, else DIR.
inline std::string part_of(const std::string& directory, const char* name) {
  const std::filesystem::path part = std::filesystem::path(directory) / name;
  return std::filesystem::is_directory(part) ? part.string() : directory;
}

/// Throws OptionError unless there is something to tell apart; `where` is what the pictures were asked from.
inline void require_classes(const mien::Dataset& data, const std::string& where) {
  const std::vector<std::string>& names = data.class_names();
  if (names.size() < 2)
    throw mien::OptionError(mien::text(where, ": there is only the class '", mien::join(names),
                                       "', at least 2 are needed; ",
                                       "a folder has class folders, or train/ and validation/ with them"));
}

/// Says so on the error output if weights of a file are no numbers: what the model then says of a picture is worth
/// nothing, and need not look so.
inline void report_not_finite(const mien::Model<float>& model, const std::string& file) {
  std::int64_t count = 0;
  std::string first;
  for (const mien::Parameter& parameter : model.parameters())
    for (const float weight : model.parameter(parameter.name))
      if (!std::isfinite(weight) && count++ == 0) first = parameter.name;
  if (count > 0)
    std::cerr << file << ": of its weights " << count << (count == 1 ? " is" : " are")
              << " NaN or infinite, the first of '" << first << "'\n";
}

/// A model that takes pictures and has an output for each class. Throws OptionError if the file's is none.
inline mien::Model<float> load_model_of_pictures(const std::string& file, int threads = 0) {
  using namespace mien;
  auto model = load_model<float>(file, {.threads = threads});
  const Shape &in = model.input_shape(), &out = model.output_shape();
  const std::size_t classes = model.preprocessing().classes.size();
  if (in.rank() != 3 || (in[2] != 1 && in[2] != 3) || out.rank() != 1 ||
      (classes != 0 && classes != static_cast<std::size_t>(out[0])))
    throw OptionError(
        text(file, " does not classify pictures: it takes ", in, ", gives ", out, " and names ", classes, " classes"));
  report_not_finite(model, file);
  return model;
}

/// Pictures for a model: its size, its colours, its classes.
inline mien::Dataset pictures_for(const mien::Model<float>& model, const std::string& directory) {
  using namespace mien;
  const Shape& shape = model.input_shape();
  Dataset data = image_folder(directory, {.image_size = {shape[0], shape[1]},
                                          .classes = model.preprocessing().classes,
                                          .color_mode = shape[2] == 1 ? ColorMode::grayscale : ColorMode::rgb});
  report_unreadable(data);
  return data;
}

/// Which classes the model takes the samples for.
inline mien::ConfusionMatrix confusion(mien::Model<float>& model, const mien::Dataset& data) {
  mien::ConfusionMatrix matrix(data.class_names());
  const mien::Tensor<float> p = model.predict(data);
  const std::int64_t classes = p.shape()[1];
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const float* row = p.data() + i * classes;
    matrix.add(data.label(i), std::max_element(row, row + classes) - row);
  }
  return matrix;
}

/// Where the columns have that epoch.
inline std::size_t row_of(const mien::History& history, int epoch) {
  return static_cast<std::size_t>(std::find(history.epoch.begin(), history.epoch.end(), epoch) - history.epoch.begin());
}

/// Throws Error if the epoch whose weights were kept, and so every other, ended without a finite loss.
inline void require_finite(const mien::History& history, int kept) {
  if (history.epoch.empty() || (kept >= 0 && std::isfinite(history["val_loss"][row_of(history, kept)]))) return;
  throw mien::Error("no epoch ended with a finite loss, so no model is written: choose a smaller --learning-rate");
}

/// The option of every program that trains.
inline void add_keras_option(CLI::App& app, bool& keras) {
  app.add_flag("--keras", keras, "also leave the whole model for Keras, model.h5 beside the other file");
}

/// "(rgb - (1, 2, 3)) * 0.5": what a model's preprocessing makes of pixels, as a formula.
inline std::string pixel_formula(const mien::Preprocessing& p) {
  using mien::join, mien::text;
  std::string formula = p.color_mode;
  if (!p.mean.empty()) formula += text(" - (", join(p.mean), ")");
  if (!p.mean.empty() && (p.scale != 1 || !p.deviation.empty())) formula = text("(", formula, ")");
  if (p.scale != 1) formula += text(" * ", p.scale);
  if (!p.deviation.empty()) formula += text(" / (", join(p.deviation), ")");
  return formula;
}

/// Leaves the model for Keras and says what its file cannot: what it takes.
inline void save_for_keras(const mien::Model<float>& model, const std::filesystem::path& path) {
  save_keras_model(model, path);
  std::cout << path.string() << " is for keras.models.load_model and takes " << pixel_formula(model.preprocessing())
            << " of pixels in 0 ... 255\n";
}

/// printf into a string.
template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  std::string line(static_cast<std::size_t>(std::snprintf(nullptr, 0, pattern, arguments...)), '\0');
  std::snprintf(line.data(), line.size() + 1, pattern, arguments...);
  return line;
}

/// Runs a program: what goes wrong is one line on the error output and exit status 2. A body may give another status.
template <class Body>
int run(CLI::App& app, int argc, char** argv, const Body& body) {
  const auto failed = [&](const char* why) {
    std::cerr << app.get_name() << ": " << why << "\n";
    return 2;
  };
  const char* const too_large = app.get_option_no_throw("--batch-size") != nullptr
                                    ? "out of memory: choose a smaller --batch-size, or smaller pictures"
                                    : "out of memory: the model, or a picture, is too large for this machine";
  try {
    app.parse(argc, argv);
    if constexpr (std::is_void_v<decltype(body())>) {
      body();
      return 0;
    } else {
      return body();
    }
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const std::bad_alloc&) {
    return failed(too_large);
  } catch (const std::length_error&) {
    return failed(too_large);
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

}  // namespace emotions
