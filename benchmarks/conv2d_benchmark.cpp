// The three passes of every convolution of the six networks and of mini_XCEPTION's depthwise ones, with the algorithm
// that the library chooses (auto) and with each one that accepts the geometry, against oneDNN, and over pictures of
// denormal numbers. Names: im2col/<shape>, conv2d/<shape>/<pass>/<algorithm>, denormals/<shape>/<pass>,
// onednn/conv2d/<shape>/<pass>, each with /threads:T.

#include <omp.h>

#include <algorithm>

#include "conv_shapes.hpp"
#include "support.hpp"

#if MIEN_HAVE_ONEDNN
#  include <dnnl.hpp>
#endif

#include <mien/kernels/conv/conv.hpp>

namespace {

using namespace mien;
using namespace mien_benchmark;
using kernels::ConvGeometry;
using kernels::ConvPass;

constexpr ConvPass passes[] = {ConvPass::forward, ConvPass::backward_input, ConvPass::backward_kernel};

/// The patches of all pixels, 512 at a time into the same memory, as the convolution itself makes them.
void im2col(benchmark::State& state, const ConvShape& shape, int threads) {
  const ConvGeometry g = shape.geometry();
  constexpr std::int64_t rows = 512;
  const std::int64_t ld = patch_size(g), blocks = kernels::ceil_div(output_pixels(g), rows);
  const Operand x(g.n * g.h * g.w * g.c), columns(threads * rows * ld);
  measure(state, "GB/s", static_cast<double>(output_pixels(g) * ld) * sizeof(float) * 1e-9, [&] {
    parallel_for(threads, blocks, [&](std::int64_t block, int thread) {
      kernels::im2col(g, x.data(), 0, block * rows, std::min(output_pixels(g), (block + 1) * rows),
                      columns.data() + thread * rows * ld, ld);
    });
  });
}

/// What im2col is held against: a copy of memory that no cache holds.
void copy(benchmark::State& state, int threads) {
  constexpr std::int64_t pieces = 1024, piece = 64 * 1024 / static_cast<std::int64_t>(sizeof(float));
  const Operand from(pieces * piece), to(pieces * piece);
  measure(state, "GB/s", static_cast<double>(pieces * piece) * sizeof(float) * 1e-9, [&] {
    parallel_for(threads, pieces,
                 [&](std::int64_t i, int) { std::copy_n(from.data() + i * piece, piece, to.data() + i * piece); });
  });
}

/// `scale`: of the pictures and their gradients.
void ours(benchmark::State& state, const ConvShape& shape, ConvPass pass, const std::string& algorithm, int threads,
          float scale = 1) {
  const ConvGeometry g = shape.geometry();
  const Operand x(g.n * g.h * g.w * g.c, scale), w(patch_size(g) * g.k), y(output_pixels(g) * g.k, scale);
  const Buffer workspace(kernels::conv_workspace<float>(g, pass, threads, algorithm));
  measure_flops(state, shape.flops(), [&] {
    if (pass == ConvPass::forward)
      kernels::conv_forward<float>(g, x.data(), w.data(), y.data(), {}, threads, workspace.data(), algorithm);
    else if (pass == ConvPass::backward_input)
      kernels::conv_backward_input(g, y.data(), w.data(), x.data(), threads, workspace.data(), algorithm);
    else
      kernels::conv_backward_kernel(g, x.data(), y.data(), w.data(), threads, workspace.data(), algorithm);
  });
  state.SetLabel(std::string(to_string(active_isa())) + " " + kernels::select_conv<float>(g, pass, algorithm).name);
}

#if MIEN_HAVE_ONEDNN
/// oneDNN in the layouts that it prefers, its operands already there.
void onednn(benchmark::State& state, const ConvShape& shape, ConvPass pass, int threads) {
  const ConvGeometry g = shape.geometry();
  omp_set_num_threads(threads);
  dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const auto any = [](const dnnl::memory::dims& dims) {
    return dnnl::memory::desc(dims, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
  };
  const auto x = any({g.n, g.c, g.h, g.w}), y = any({g.n, g.k, g.oh, g.ow});
  const auto w = g.groups == 1 ? any({g.k, g.c, g.r, g.s}) : any({g.groups, 1, 1, g.r, g.s});
  const dnnl::memory::dims strides{g.stride_h, g.stride_w}, before{g.pad_top, g.pad_left},
      after{g.pad_bottom, g.pad_right};
  const auto kind = dnnl::algorithm::convolution_auto;
  const auto fill = [&](const dnnl::memory::desc& desc) {
    dnnl::memory memory(desc, engine);
    float* const data = static_cast<float*>(memory.get_data_handle());
    for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i) data[i] = 0.25F;
    return memory;
  };
  const dnnl::convolution_forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, kind, x, w, y, strides, before, after}, engine);
  const auto run = [&](const dnnl::primitive& primitive, const std::unordered_map<int, dnnl::memory>& arguments) {
    measure_flops(state, shape.flops(), [&] {
      primitive.execute(stream, arguments);
      stream.wait();
    });
  };
  if (pass == ConvPass::forward)
    return run(dnnl::convolution_forward(forward), {{DNNL_ARG_SRC, fill(forward.src_desc())},
                                                    {DNNL_ARG_WEIGHTS, fill(forward.weights_desc())},
                                                    {DNNL_ARG_DST, fill(forward.dst_desc())}});
  if (pass == ConvPass::backward_input) {
    const dnnl::convolution_backward_data::primitive_desc backward({kind, x, w, y, strides, before, after}, engine,
                                                                   forward);
    return run(dnnl::convolution_backward_data(backward), {{DNNL_ARG_DIFF_SRC, fill(backward.diff_src_desc())},
                                                           {DNNL_ARG_WEIGHTS, fill(backward.weights_desc())},
                                                           {DNNL_ARG_DIFF_DST, fill(backward.diff_dst_desc())}});
  }
  const dnnl::convolution_backward_weights::primitive_desc backward({kind, x, w, y, strides, before, after}, engine,
                                                                    forward);
  run(dnnl::convolution_backward_weights(backward), {{DNNL_ARG_SRC, fill(backward.src_desc())},
                                                     {DNNL_ARG_DIFF_WEIGHTS, fill(backward.diff_weights_desc())},
                                                     {DNNL_ARG_DIFF_DST, fill(backward.diff_dst_desc())}});
}
#endif

void register_shape(const ConvShape& shape, int threads) {
  const std::string suffix = threads_suffix(threads);
  if (!shape.depthwise)
    register_timed(std::string("im2col/") + shape.name + suffix,
                   [=](benchmark::State& state) { im2col(state, shape, threads); });
  for (const ConvPass pass : passes) {
    const std::string name = std::string("conv2d/") + shape.name + "/" + to_string(pass);
    const auto add = [&](const std::string& label, const std::string& algorithm) {
      register_timed(name + "/" + label + suffix,
                     [=](benchmark::State& state) { ours(state, shape, pass, algorithm, threads); });
    };
    add("auto", "");
    register_timed(std::string("denormals/") + shape.name + "/" + to_string(pass) + suffix,
                   [=](benchmark::State& state) { ours(state, shape, pass, "", threads, 1e-39F); });
    for (const kernels::ConvAlgorithm<float>& algorithm : kernels::conv_algorithms<float>(pass))
      if (algorithm.accepts(shape.geometry()) == nullptr && std::string_view(algorithm.name) != "reference")
        add(algorithm.name, algorithm.name);
#if MIEN_HAVE_ONEDNN
    register_timed("onednn/" + name + suffix, [=](benchmark::State& state) { onednn(state, shape, pass, threads); });
#endif
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const int threads : thread_counts()) {
    register_timed("copy" + threads_suffix(threads), [=](benchmark::State& state) { copy(state, threads); });
    for (const ConvShape& shape : conv_shapes) register_shape(shape, threads);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
