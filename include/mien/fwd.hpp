#pragma once
// Forward declarations, and the one list of scalar types.

namespace mien::inline v0 {

/// A value that stands for a scalar type: how a node is asked for its layer in that type.
template <class T>
struct ScalarTag {
  using type = T;
};

class Shape;
class Node;
class LayerSpec;
class Dataset;
template <class T>
class Tensor;
template <class T>
class TensorView;
template <class T>
class Layer;
template <class T>
class Model;
template <class T>
class Predictor;

}  // namespace mien::inline v0
