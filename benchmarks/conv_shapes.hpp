#pragma once
// Every convolution of the six networks, at the batch size that is compared: custom models 2 and 3 (c2, c3), VGG16 on
// 48x48 (v48), VGGFace on 224x224 (v224), ResNet50 on 48x48 (rn); and the depthwise ones of mini_XCEPTION (mx).

#include <cstdint>

#include <mien/kernels/conv/geometry.hpp>

namespace mien_benchmark {

struct ConvShape {
  const char* name;
  std::int64_t n, c, h, k, r, stride, pad;
  bool depthwise = false;

  [[nodiscard]] mien::kernels::ConvGeometry geometry() const {
    return mien::kernels::with_output({.n = n,
                                       .h = h,
                                       .w = h,
                                       .c = c,
                                       .k = k,
                                       .r = r,
                                       .s = r,
                                       .stride_h = stride,
                                       .stride_w = stride,
                                       .pad_top = pad,
                                       .pad_left = pad,
                                       .pad_bottom = pad,
                                       .pad_right = pad,
                                       .groups = depthwise ? c : 1});
  }
  /// Multiplications and additions of one pass, padding included, as the tables of all libraries count them.
  [[nodiscard]] double flops() const {
    const mien::kernels::ConvGeometry g = geometry();
    return 2.0 * static_cast<double>(output_pixels(g)) * static_cast<double>(patch_size(g)) * static_cast<double>(g.k);
  }
};

// clang-format off
inline constexpr ConvShape conv_shapes[] = {
    // name, N, C, H = W, K, R = S, stride, padding
    {"c2.1a", 32, 3, 48, 64, 3, 1, 0},
    {"c2.1b", 32, 64, 46, 64, 3, 1, 0},
    {"c2.2a", 32, 64, 22, 128, 3, 1, 0},
    {"c2.2b", 32, 128, 20, 128, 3, 1, 0},
    {"c2.3a", 32, 128, 9, 256, 3, 1, 0},
    {"c2.3b", 32, 256, 7, 256, 3, 1, 0},
    {"c3.1b", 32, 32, 46, 32, 3, 1, 0},
    {"c3.2a", 32, 32, 22, 256, 3, 1, 0},
    {"c3.2b", 32, 256, 20, 256, 3, 1, 0},
    {"v48.1_1", 32, 3, 48, 64, 3, 1, 1},
    {"v48.1_2", 32, 64, 48, 64, 3, 1, 1},
    {"v48.2_1", 32, 64, 24, 128, 3, 1, 1},
    {"v48.2_2", 32, 128, 24, 128, 3, 1, 1},
    {"v48.3_1", 32, 128, 12, 256, 3, 1, 1},
    {"v48.3_2", 32, 256, 12, 256, 3, 1, 1},
    {"v48.4_1", 32, 256, 6, 512, 3, 1, 1},
    {"v48.4_2", 32, 512, 6, 512, 3, 1, 1},
    {"v48.5_x", 32, 512, 3, 512, 3, 1, 1},
    {"v224.1_1", 8, 3, 224, 64, 3, 1, 1},
    {"v224.1_2", 8, 64, 224, 64, 3, 1, 1},
    {"v224.2_1", 8, 64, 112, 128, 3, 1, 1},
    {"v224.2_2", 8, 128, 112, 128, 3, 1, 1},
    {"v224.3_1", 8, 128, 56, 256, 3, 1, 1},
    {"v224.3_2", 8, 256, 56, 256, 3, 1, 1},
    {"v224.4_1", 8, 256, 28, 512, 3, 1, 1},
    {"v224.4_2", 8, 512, 28, 512, 3, 1, 1},
    {"v224.5_x", 8, 512, 14, 512, 3, 1, 1},
    {"rn.conv1", 32, 3, 48, 64, 7, 2, 3},
    {"rn.2.1", 32, 64, 12, 64, 1, 1, 0},
    {"rn.2.2", 32, 64, 12, 64, 3, 1, 1},
    {"rn.2.3", 32, 64, 12, 256, 1, 1, 0},
    {"rn.3.1s2", 32, 256, 12, 128, 1, 2, 0},
    {"rn.3.2", 32, 128, 6, 128, 3, 1, 1},
    {"rn.3.3", 32, 128, 6, 512, 1, 1, 0},
    {"rn.4.1s2", 32, 512, 6, 256, 1, 2, 0},
    {"rn.4.2", 32, 256, 3, 256, 3, 1, 1},
    {"rn.4.3", 32, 256, 3, 1024, 1, 1, 0},
    {"rn.5.2", 32, 512, 2, 512, 3, 1, 1},
    {"rn.5.3", 32, 512, 2, 2048, 1, 1, 0},
    {"mx.1a", 32, 8, 60, 8, 3, 1, 1, true},
    {"mx.1b", 32, 16, 60, 16, 3, 1, 1, true},
    {"mx.2b", 32, 32, 30, 32, 3, 1, 1, true},
    {"mx.3b", 32, 64, 15, 64, 3, 1, 1, true},
    {"mx.4b", 32, 128, 8, 128, 3, 1, 1, true},
};
// clang-format on

}  // namespace mien_benchmark
