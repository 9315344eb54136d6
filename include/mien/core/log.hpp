#pragma once
// Where text for people goes. Nothing else in the library prints.

#include <cstdio>
#include <cstdlib>
#include <string_view>

#if defined(__unix__) || defined(__APPLE__)
#  include <sys/ioctl.h>
#  include <unistd.h>
#endif

namespace mien::inline v0 {

/// Writes text to stdout or stderr at once. What cannot be written is lost: a closed pipe does not end a training.
inline void write_to(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
  std::fflush(stream);
}

/// Whether the environment asks for explanations: MIEN_VERBOSE=1.
[[nodiscard]] inline bool verbose() {
  const char* const value = std::getenv("MIEN_VERBOSE");
  return value != nullptr && *value == '1';
}

/// Whether someone sits before stdout, so that a line can be drawn again.
[[nodiscard]] inline bool stdout_is_terminal() {
#if defined(__unix__) || defined(__APPLE__)
  return isatty(STDOUT_FILENO) != 0;
#else
  return false;
#endif
}

/// Columns of the terminal at stdout; 80 if it does not say.
[[nodiscard]] inline int terminal_columns() {
#if defined(__unix__) || defined(__APPLE__)
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
#endif
  return 80;
}

}  // namespace mien::inline v0
