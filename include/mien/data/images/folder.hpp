#pragma once
// A folder of pictures, one sub-folder a class, as a data set.

#include <string>
#include <vector>

#include <mien/core/compiled.hpp>
#include <mien/data/class_map.hpp>
#include <mien/data/dataset.hpp>
#include <mien/data/picture.hpp>

namespace mien::inline v0 {

/// What happens to a file that cannot be read: left out and listed in Dataset::unreadable(), or a FileError.
enum class OnUnreadable : int { skip, fail };

struct ImageFolderOptions {
  ImageSize image_size{48, 48};        ///< (height, width) that every picture is resized to
  std::vector<std::string> classes{};  ///< see `parse_classes`; {}: every sub-folder, alphabetically
  ColorMode color_mode = ColorMode::rgb;
  Interpolation interpolation = Interpolation::bilinear;
  OnUnreadable on_unreadable = OnUnreadable::skip;
  int threads = 0;  ///< that decode; 0: those allowed to the process. Changes nothing but the time
};

/// The pictures under `directory`, in `directory`/CLASS/...; each is decoded, resized as Keras's
/// `image_dataset_from_directory` does it (`resize_image`), rounded, and kept in memory as uint8 (H, W, C).
///
///     Dataset train = image_folder("faces/train", {.image_size = {48, 48}, .classes = {"happy", "relaxed=neutral"}});
///
/// Classes are the sub-folders in alphabetical order, or those listed, in that order, renamed and merged as
/// `parse_classes` says. Files are in byte order of their paths; hidden ones and those that are no pictures by their
/// names are passed over. Pictures that cannot be read are listed in `Dataset::unreadable()`; the library prints
/// nothing. Throws FileError if the folder, a listed class, or every readable picture is missing; with
/// `OnUnreadable::fail` also on the first unreadable file.
[[nodiscard]] MIEN_INLINE Dataset image_folder(const std::string& directory, const ImageFolderOptions& options = {});

}  // namespace mien::inline v0

#if MIEN_DEFINES
#  include <mien/data/images/folder_impl.hpp>
#endif
