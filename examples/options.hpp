#pragma once
// Options of the programs that are numbers: what is out of range is one line that says what was expected and what came.

#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <system_error>
#include <type_traits>

#include <CLI/CLI.hpp>

#include <mien/core/error.hpp>

namespace emotions {

/// A check of an option. `good` says of a number of type T whether it may be; "expected " stands before `expected`.
template <class T, class Good>
CLI::Validator number_check(const std::string& expected, const Good& good) {
  return CLI::Validator(
      [=](std::string& word) {
        T number{};
        const char* end = word.data() + word.size();
        const auto [stop, error] = std::from_chars(word.data(), end, number);
        return error == std::errc() && stop == end && good(number)
                   ? std::string()
                   : mien::text("expected ", expected, ", got '", word, "'");
      },
      "");
}

/// An option that is a whole number, at least `least`.
template <class T>
CLI::Option* add_whole(CLI::App& app, const char* name, T& value, std::type_identity_t<T> least,
                       const std::string& help = "") {
  return app.add_option(name, value, help)
      ->check(number_check<T>(mien::text("a whole number of at least ", least), [least](T n) { return n >= least; }));
}

/// An option that is a learning rate.
inline CLI::Option* add_rate(CLI::App& app, const char* name, double& value, const std::string& help) {
  return app.add_option(name, value, help)
      ->capture_default_str()
      ->check(number_check<double>("a number above 0", [](double rate) { return std::isfinite(rate) && rate > 0; }));
}

/// The options of every program that computes on batches, and on threads.
inline void add_batch_size(CLI::App& app, std::int64_t& value, const std::string& help = "") {
  add_whole(app, "--batch-size", value, 1, help)->capture_default_str();
}
inline void add_threads(CLI::App& app, int& value) {
  add_whole(app, "--threads", value, 0, "0: all that the process may use")->capture_default_str();
}

}  // namespace emotions
