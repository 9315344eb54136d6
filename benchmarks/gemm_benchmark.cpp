// Matrix products against the measured peak of the machine and against Eigen, OpenBLAS and oneDNN. MIEN_ISA chooses the
// instruction set of ours; the opponents choose their own. Names: peak, gemm/M/N/K, eigen/gemm/..., openblas/gemm/...,
// onednn/gemm/..., each with /threads:T.

#include <omp.h>

#include "support.hpp"

#if MIEN_HAVE_EIGEN
#  include <Eigen/Core>
#endif
#if MIEN_HAVE_OPENBLAS
#  include <cblas.h>
#endif
#if MIEN_HAVE_ONEDNN
#  include <dnnl.hpp>
#endif

#include <mien/kernels/gemm/gemm.hpp>

namespace mien::inline v0::kernels {
template <class T>
struct PeakKernel {
  T (*run)(std::int64_t steps);
  std::int64_t lanes;  ///< multiply-adds in one step
};
}  // namespace mien::inline v0::kernels

#define MIEN_KERNEL_TEXT "../../../../benchmarks/peak.inl"
#include <mien/kernels/isa/for_each_isa.inl>

namespace {

using namespace mien;
using namespace mien_benchmark;

struct Shape {
  std::int64_t m, n, k;
  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
  [[nodiscard]] std::string name() const {
    return "gemm/" + std::to_string(m) + "/" + std::to_string(n) + "/" + std::to_string(k);
  }
};

constexpr Shape shapes[] = {{256, 256, 256},   {1024, 1024, 1024}, {4096, 4096, 4096}, {18432, 128, 576},
                            {1152, 512, 2304}, {67712, 64, 576},   {32, 1000, 4096},   {8, 512, 512},
                            {36864, 64, 27},   {67712, 64, 27},    {1, 4096, 4096},    {4608, 64, 64},
                            {4608, 256, 64},   {288, 1024, 256},   {128, 2048, 512}};

/// dense layers' and 1x1 convolutions' gradients: m, n, k of C = A' B (of the kernel) and C = A B' (of the input)
constexpr Shape gradient_shapes[] = {{4096, 1000, 32}, {128, 512, 4608}, {64, 256, 4608}, {512, 512, 512}};

void peak(benchmark::State& state, int threads) {
  const kernels::PeakKernel<float>& kernel = *MIEN_SELECT_ISA(float, peak_kernel);
  constexpr std::int64_t steps = 1 << 20;
  for (auto _ : state)
    parallel_for(threads, threads, [&](std::int64_t, int) { benchmark::DoNotOptimize(kernel.run(steps)); });
  count_flops(state, 2.0 * static_cast<double>(steps * kernel.lanes * threads));
  state.SetLabel(to_string(active_isa()));
}

void ours(benchmark::State& state, const Shape& s, int threads, kernels::Transpose ta, kernels::Transpose tb) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  const kernels::Gemm<float> g{.transpose_a = ta,
                               .transpose_b = tb,
                               .m = s.m,
                               .n = s.n,
                               .k = s.k,
                               .a = a.data(),
                               .lda = ta == kernels::Transpose::yes ? s.m : s.k,
                               .b = b.data(),
                               .ldb = tb == kernels::Transpose::yes ? s.k : s.n,
                               .c = c.data(),
                               .ldc = s.n};
  const Buffer workspace(kernels::gemm_workspace(g, threads));
  for (auto _ : state) kernels::gemm(g, threads, workspace.data());
  count_flops(state, s.flops());
  state.SetLabel(to_string(active_isa()));
}

#if MIEN_HAVE_EIGEN
void eigen(benchmark::State& state, const Shape& s, int threads) {
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  const Eigen::Map<const Matrix> left(a.data(), s.m, s.k), right(b.data(), s.k, s.n);
  Eigen::Map<Matrix> result(c.data(), s.m, s.n);
  Eigen::setNbThreads(threads);
  for (auto _ : state) result.noalias() = left * right;
  count_flops(state, s.flops());
}
#endif

#if MIEN_HAVE_OPENBLAS
extern "C" void openblas_set_num_threads(int threads);

void openblas(benchmark::State& state, const Shape& s, int threads) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  const int m = static_cast<int>(s.m), n = static_cast<int>(s.n), k = static_cast<int>(s.k);
  openblas_set_num_threads(threads);
  for (auto _ : state)
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, a.data(), k, b.data(), n, 0, c.data(), n);
  count_flops(state, s.flops());
}
#endif

#if MIEN_HAVE_ONEDNN
void onednn(benchmark::State& state, const Shape& s, int threads) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  omp_set_num_threads(threads);
  for (auto _ : state) dnnl::sgemm('N', 'N', s.m, s.n, s.k, 1, a.data(), s.k, b.data(), s.n, 0, c.data(), s.n);
  count_flops(state, s.flops());
}
#endif

void register_all() {
  using kernels::Transpose;
  for (const int threads : thread_counts()) {
    const std::string suffix = threads_suffix(threads);
    register_timed("peak" + suffix, [=](benchmark::State& state) { peak(state, threads); });
    for (const Shape& s : shapes) {
      register_timed(s.name() + suffix,
                     [=](benchmark::State& state) { ours(state, s, threads, Transpose::no, Transpose::no); });
#if MIEN_HAVE_EIGEN
      register_timed("eigen/" + s.name() + suffix, [=](benchmark::State& state) { eigen(state, s, threads); });
#endif
#if MIEN_HAVE_OPENBLAS
      register_timed("openblas/" + s.name() + suffix, [=](benchmark::State& state) { openblas(state, s, threads); });
#endif
#if MIEN_HAVE_ONEDNN
      register_timed("onednn/" + s.name() + suffix, [=](benchmark::State& state) { onednn(state, s, threads); });
#endif
    }
    for (const Shape& s : gradient_shapes) {
      register_timed("gemm_tn/" + s.name().substr(5) + suffix,
                     [=](benchmark::State& state) { ours(state, s, threads, Transpose::yes, Transpose::no); });
      register_timed("gemm_nt/" + s.name().substr(5) + suffix,
                     [=](benchmark::State& state) { ours(state, s, threads, Transpose::no, Transpose::yes); });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  register_all();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
