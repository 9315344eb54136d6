// must fail with: conversion from|could not convert|no viable conversion
// A view that may write does not come from one that may only read.

#include <mien/core/tensor.hpp>

mien::TensorView<const float> forget_writing(mien::TensorView<float> view) { return view; }

#ifdef MIEN_MUST_FAIL
mien::TensorView<float> gain_writing(mien::TensorView<const float> view) { return view; }
#endif
