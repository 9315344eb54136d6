#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mien::inline v0 {

/// Is shown every value that a run depends on, by name. A visitor that saves reads the values, one that restores
/// overwrites them; the code that shows them is the same for both.
class StateVisitor {
 public:
  virtual ~StateVisitor() = default;
  virtual void operator()(const char* name, bool& value) = 0;
  virtual void operator()(const char* name, std::int64_t& value) = 0;
  virtual void operator()(const char* name, double& value) = 0;
  virtual void operator()(const char* name, std::string& value) = 0;
  virtual void operator()(const char* name, std::vector<std::byte>& value) = 0;  ///< arrays, such as weights

  void operator()(const char* name, int& value) {
    std::int64_t wide = value;
    (*this)(name, wide);
    value = static_cast<int>(wide);
  }
};

/// Puts a prefix before each name.
class ScopedStateVisitor final : public StateVisitor {
 public:
  ScopedStateVisitor(StateVisitor& visitor, std::string prefix) : visitor_(visitor), prefix_(std::move(prefix)) {}

  void operator()(const char* name, bool& value) override { pass(name, value); }
  void operator()(const char* name, std::int64_t& value) override { pass(name, value); }
  void operator()(const char* name, double& value) override { pass(name, value); }
  void operator()(const char* name, std::string& value) override { pass(name, value); }
  void operator()(const char* name, std::vector<std::byte>& value) override { pass(name, value); }

 private:
  template <class X>
  void pass(const char* name, X& value) {
    visitor_((prefix_ + name).c_str(), value);
  }

  StateVisitor& visitor_;
  std::string prefix_;
};

}  // namespace mien::inline v0
