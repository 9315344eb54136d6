#pragma once
// What folder.hpp declares.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mien/core/parallel.hpp>
#include <mien/data/images/folder.hpp>
#include <mien/data/images/image.hpp>
#include <mien/data/images/image_impl.hpp>

namespace mien::inline v0 {

namespace detail {

/// A file of a folder, and the class it belongs to.
struct ImageFile {
  std::string path;
  int label = 0;
};

/// By the name's ending: pictures, also of kinds that cannot be read, so that they are reported and not passed over.
[[nodiscard]] inline bool looks_like_picture(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::array<std::string_view, 11> endings{".jpg",  ".jpeg", ".png", ".bmp", ".gif", ".tif",
                                                     ".tiff", ".webp", ".ppm", ".pgm", ".avif"};
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

[[nodiscard]] inline bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

/// The visible sub-folders, in byte order of their names. Throws FileError if there is no such folder, or none in it.
[[nodiscard]] inline std::vector<std::string> class_folders(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error))
    if (!is_hidden(entry->path()) && std::filesystem::is_directory(entry->path()))
      names.push_back(entry->path().filename().string());
  if (error)
    throw FileError(text("image_folder: ", directory, " cannot be read: ", error.message(),
                         "; expected a folder with a sub-folder of pictures for each class"));
  if (names.empty())
    throw FileError(text("image_folder: ", directory, " has no sub-folders; expected one for each class"));
  std::sort(names.begin(), names.end());
  return names;
}

/// The pictures in a folder and those inside it, in byte order of their paths.
[[nodiscard]] inline std::vector<std::string> pictures_in(const std::filesystem::path& folder) {
  std::vector<std::string> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(folder, error), end;
  for (; !error && entry != end; entry.increment(error)) {
    if (is_hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (looks_like_picture(entry->path()) && !entry->is_directory(error)) {
      files.push_back(entry->path().string());
    }
  }
  if (error) throw FileError(text("image_folder: ", folder.string(), " cannot be read: ", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

/// The pictures of all classes, class after class.
[[nodiscard]] inline std::vector<ImageFile> list_image_files(const std::string& directory,
                                                             const std::vector<ClassSource>& classes,
                                                             const std::vector<std::string>& folders) {
  std::vector<ImageFile> files;
  for (std::size_t c = 0; c < classes.size(); ++c)
    for (const std::string& folder : classes[c].folders) {
      if (!std::binary_search(folders.begin(), folders.end(), folder))
        throw FileError(text("image_folder: ", directory, " has no folder \"", folder, "\" for the class \"",
                             classes[c].name, "\"; it has ", join(folders)));
      for (std::string& path : pictures_in(std::filesystem::path(directory) / folder))
        files.push_back({std::move(path), static_cast<int>(c)});
    }
  if (files.empty())
    throw FileError(text("image_folder: no JPEG, PNG or BMP files in the folders ", join(folders), " of ", directory));
  return files;
}

/// Reads one picture into its place; returns why it cannot be read, or nothing.
[[nodiscard]] inline std::string read_sample(const std::string& path, const LoadImageOptions& options,
                                             std::uint8_t* to) {
  try {
    for (const float value : load_picture(path, options)) *to++ = static_cast<std::uint8_t>(value + 0.5F);
    return {};
  } catch (const FileError& error) {
    return error.what();
  } catch (const std::bad_alloc&) {
    return "is too large for the memory that there is";
  }
}

/// Decodes every file; the pixels of those that cannot be read are closed up.
[[nodiscard]] inline Dataset read_image_files(const std::vector<ImageFile>& files, std::vector<std::string> class_names,
                                              const ImageFolderOptions& options) {
  const Shape shape{options.image_size.height, options.image_size.width, channels(options.color_mode)};
  const LoadImageOptions load{options.image_size, options.color_mode, options.interpolation};
  const auto sample = static_cast<std::size_t>(shape.size());
  std::vector<std::uint8_t> pixels(files.size() * sample);
  std::vector<std::string> reasons(files.size());
  parallel_for(options.threads > 0 ? options.threads : available_threads(), static_cast<std::int64_t>(files.size()),
               [&](std::int64_t task, int) {
                 const auto i = static_cast<std::size_t>(task);
                 reasons[i] = read_sample(files[i].path, load, pixels.data() + i * sample);
               });
  std::vector<int> labels;
  std::vector<std::string> names;
  std::vector<UnreadableFile> unreadable;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (!reasons[i].empty()) {
      unreadable.push_back({files[i].path, std::move(reasons[i])});
      continue;
    }
    if (names.size() != i) std::copy_n(pixels.data() + i * sample, sample, pixels.data() + names.size() * sample);
    labels.push_back(files[i].label);
    names.push_back(files[i].path);
  }
  pixels.resize(names.size() * sample);
  return Dataset::from_pictures(std::move(pixels), shape, std::move(labels), std::move(class_names), std::move(names),
                                {}, std::move(unreadable));
}

}  // namespace detail

MIEN_INLINE Dataset image_folder(const std::string& directory, const ImageFolderOptions& options) {
  if (options.image_size.height < 1 || options.image_size.width < 1)
    throw OptionError(
        text("image_folder: image_size needs a height and a width, since all samples of a data set have "
             "one shape; got ",
             options.image_size));
  const std::vector<std::string> folders = detail::class_folders(directory);
  std::vector<ClassSource> classes = parse_classes(options.classes);
  if (classes.empty())
    for (const std::string& folder : folders) classes.push_back({.name = folder, .folders = {folder}});
  std::vector<std::string> names;
  for (const ClassSource& source : classes) names.push_back(source.name);
  Dataset data =
      detail::read_image_files(detail::list_image_files(directory, classes, folders), std::move(names), options);
  const auto& unreadable = data.unreadable();
  if (unreadable.empty() || (options.on_unreadable == OnUnreadable::skip && !data.empty())) return data;
  throw FileError(text("image_folder: ", unreadable[0].file, ": ", unreadable[0].reason, " (", unreadable.size(),
                       " of ", data.size() + static_cast<std::int64_t>(unreadable.size()), " files cannot be read)"));
}

}  // namespace mien::inline v0
