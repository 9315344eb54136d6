#pragma once
// How files come to layers that mien does not know.

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <mien/graph/node.hpp>

namespace mien::inline v0 {

namespace io {
/// Makes a node of the nodes that it reads: the visitor fills in the layer's options.
using LayerMaker = std::function<Node(OptionVisitor& stored, const std::string& name, std::vector<Node> inputs)>;

template <class Options>
[[nodiscard]] Node make_layer(OptionVisitor& stored, const std::string& name, std::vector<Node> inputs) {
  Options options;
  options.name = name;
  options.visit_options(stored);
  return mien::apply(options, std::move(inputs));  // qualified: std::apply is found beside it, and preferred
}
}  // namespace io

/// The user's own layers, for files that hold them: `CustomObjects{}.add<Scale>()`. No global registry.
class CustomObjects {
 public:
  template <class Options>
  CustomObjects& add() {
    makers_[Options::type] = io::make_layer<Options>;
    return *this;
  }
  [[nodiscard]] const std::map<std::string, io::LayerMaker, std::less<>>& makers() const { return makers_; }

 private:
  std::map<std::string, io::LayerMaker, std::less<>> makers_;
};

}  // namespace mien::inline v0
