#pragma once
// Models of Keras in the programs about emotions: what their files do not say is asked for.

#include <array>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include "emotions.hpp"

namespace emotions {

/// What is done to pixels, if the file is Keras's.
struct KerasArguments {
  std::string scale = "1";
  double offset = 0;
  std::int64_t image_size = 0;
  bool grey = false;

  void add_options(CLI::App& app) {
    app.add_option("--scale", scale,
                   "of a Keras model: it takes scale * pixel + offset, pixel in 0 ... 255; 1/255 may be written so")
        ->capture_default_str();
    app.add_option("--offset", offset, "of a Keras model")->capture_default_str();
    add_whole(app, "--image-size", image_size, 1,
              "of a Keras model: rows and columns, if other than the file's or not in it");
    app.add_flag("--grey", grey, "a Keras model takes pictures of one channel");
  }
};

/// A number, or a fraction of two.
inline double parse_fraction(const std::string& word) {
  std::size_t end = 0, slash = word.find('/');
  try {
    const double number = std::stod(word, &end);
    if (end == word.size()) return number;
    if (end == slash) {
      const std::string below = word.substr(slash + 1);
      const double divisor = std::stod(below, &end);
      if (end == below.size() && divisor != 0) return number / divisor;
    }
  } catch (const std::logic_error&) {
  }
  throw mien::OptionError("--scale is a number or a fraction like 1/255, got '" + word + "'");
}

/// Throws OptionError if an option for Keras's models was given with one of mien's.
inline void refuse_keras_options(const CLI::App& app, const std::string& file) {
  for (const char* option : {"--scale", "--offset", "--image-size", "--grey", "--classes"})
    if (app.count(option) > 0)
      throw mien::OptionError(mien::text(option, " is for models of Keras: '", file,
                                         "' is of mien and says itself what its pictures and classes are"));
}

/// Whether the file is HDF5 or a zip archive, as Keras's are.
inline bool is_keras_file(const std::string& file) {
  std::array<char, 4> start{};
  std::ifstream(file, std::ios::binary).read(start.data(), start.size());
  return std::string_view(start.data(), 4) == "\x89HDF" || std::string_view(start.data(), 2) == "PK";
}

/// A model of Keras that takes pictures; its preprocessing is as the arguments say. Throws OptionError.
inline mien::Model<float> load_keras_model_of_pictures(const std::string& file, const KerasArguments& a, int threads) {
  using namespace mien;
  const double scale = parse_fraction(a.scale);
  if (scale == 0 || !std::isfinite(scale)) throw OptionError("--scale is a number other than 0");
  LoadKerasOptions options{.threads = threads};
  if (a.image_size > 0) options.input_shape = {a.image_size, a.image_size, a.grey ? 1 : 3};
  auto model = load_keras_model<float>(file, options);
  const Shape &in = model.input_shape(), &out = model.output_shape();
  if (in.rank() != 3 || (in[2] != 1 && in[2] != 3) || out.rank() != 1)
    throw OptionError(text(file, " does not classify pictures: it takes ", in, " and gives ", out));
  if ((in[2] == 1) != a.grey)
    throw OptionError(
        text(file, " takes pictures of ", in[2], in[2] == 1 ? " channel: say --grey" : " channels, not --grey"));
  Preprocessing preprocessing{.color_mode = a.grey ? "grayscale" : "rgb", .scale = scale};
  if (a.offset != 0) preprocessing.mean.assign(static_cast<std::size_t>(in[2]), -a.offset / scale);
  model.set_preprocessing(preprocessing);
  report_not_finite(model, file);
  return model;
}

/// Names the model's outputs. Throws OptionError unless there is a name for each.
inline void name_outputs(mien::Model<float>& model, const std::string& classes) {
  mien::Preprocessing preprocessing = model.preprocessing();
  preprocessing.classes = split_list(classes);
  if (static_cast<std::int64_t>(preprocessing.classes.size()) != model.output_shape()[0])
    throw mien::OptionError(mien::text("the model has ", model.output_shape()[0],
                                       " outputs: name them, in their order, with --classes; got ",
                                       preprocessing.classes.size()));
  model.set_preprocessing(preprocessing);
}

/// The model of a file, of mien or of Keras; `classes` names a Keras model's outputs, if it is not empty. Throws
/// OptionError.
inline mien::Model<float> load_model_of_either(const CLI::App& app, const std::string& file, const KerasArguments& a,
                                               const std::string& classes, int threads = 0) {
  if (!is_keras_file(file)) {
    auto model = load_model_of_pictures(file, threads);
    refuse_keras_options(app, file);
    return model;
  }
  auto model = load_keras_model_of_pictures(file, a, threads);
  if (!classes.empty()) name_outputs(model, classes);
  return model;
}

/// Pictures as the model takes them, of these classes; none: all folders.
inline mien::Dataset pictures_of(const mien::Model<float>& model, const std::string& directory,
                                 const std::vector<std::string>& classes) {
  using namespace mien;
  const Shape& shape = model.input_shape();
  Dataset data = image_folder(directory, {.image_size = {shape[0], shape[1]},
                                          .classes = classes,
                                          .color_mode = shape[2] == 1 ? ColorMode::grayscale : ColorMode::rgb});
  report_unreadable(data);
  return data;
}

/// Those of the classes that have a folder.
inline std::vector<std::string> classes_with_folder(const std::vector<std::string>& classes,
                                                    const std::string& directory) {
  if (!std::filesystem::is_directory(directory))
    throw mien::OptionError("'" + directory + "' is no folder: give one with folders named as the classes");
  std::vector<std::string> there;
  for (const std::string& name : classes)
    if (std::filesystem::is_directory(std::filesystem::path(directory) / name)) there.push_back(name);
  if (there.empty())
    throw mien::OptionError(directory + " has a folder for none of the classes " + mien::join(classes));
  return there;
}

/// Pictures of some of a model's classes, counted against all of its outputs.
struct PartialResult {
  mien::ConfusionMatrix matrix;  ///< all classes of the model
  double accuracy = 0;           ///< the largest of all outputs is the picture's class
  double among = 0;              ///< the largest of the outputs of the data's classes is
};

inline PartialResult evaluate_partly(mien::Model<float>& model, const mien::Dataset& data, std::int64_t batch_size) {
  const std::vector<std::string>&outputs = model.preprocessing().classes, names = data.class_names();
  std::vector<std::int64_t> output_of;
  for (const std::string& name : names)
    output_of.push_back(std::find(outputs.begin(), outputs.end(), name) - outputs.begin());
  PartialResult result{mien::ConfusionMatrix(outputs)};
  const mien::Tensor<float> p = model.predict(data, {.batch_size = batch_size});
  const std::int64_t width = p.shape()[1];
  std::int64_t right = 0, right_among = 0;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const float* row = p.data() + i * width;
    const std::int64_t truth = output_of[static_cast<std::size_t>(data.label(i))],
                       taken = std::max_element(row, row + width) - row;
    const std::int64_t best =
        *std::max_element(output_of.begin(), output_of.end(), [&](auto a, auto b) { return row[a] < row[b]; });
    result.matrix.add(truth, taken);
    right += taken == truth;
    right_among += best == truth;
  }
  result.accuracy = static_cast<double>(right) / static_cast<double>(data.size());
  result.among = static_cast<double>(right_among) / static_cast<double>(data.size());
  return result;
}

}  // namespace emotions
