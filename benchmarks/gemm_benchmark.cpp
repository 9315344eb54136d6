// Matrix products against the measured peak of the machine and against Eigen, OpenBLAS and oneDNN. MIEN_ISA chooses the
// instruction set of ours; the opponents choose their own. Names: peak, peak_storing (with a store beside each
// multiply-add), tile/K (the micro-kernel alone, sums of K products, operands in a near cache), gemm/M/N/K (C = A B),
// gemm_tn/... (A' B), gemm_nt/... (A B'), the same behind eigen/, openblas/ and onednn/, all but tile/ with /threads:T.

#include <omp.h>

#include "eigen_opponent.hpp"
#include "limits.hpp"
#include "support.hpp"

#if MIEN_HAVE_OPENBLAS
#  include <cblas.h>
#endif
#if MIEN_HAVE_ONEDNN
#  include <dnnl.hpp>
#endif

#include <mien/kernels/gemm/gemm.hpp>

namespace {

using namespace mien;
using namespace mien_benchmark;

enum class Form { nn, tn, nt };  ///< C = A B, A' B, A B'

struct Shape {
  std::int64_t m, n, k;
  Form form = Form::nn;
  [[nodiscard]] bool transposes_a() const { return form == Form::tn; }
  [[nodiscard]] bool transposes_b() const { return form == Form::nt; }
  [[nodiscard]] std::int64_t lda() const { return transposes_a() ? m : k; }
  [[nodiscard]] std::int64_t ldb() const { return transposes_b() ? k : n; }
  [[nodiscard]] double flops() const {
    return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
  }
  [[nodiscard]] std::string name() const {
    const char* const kind = form == Form::nn ? "gemm/" : form == Form::tn ? "gemm_tn/" : "gemm_nt/";
    return kind + std::to_string(m) + "/" + std::to_string(n) + "/" + std::to_string(k);
  }
};

// After the plain products the gradients of dense layers and 1x1 convolutions: A' B is the kernel's, A B' the input's.
constexpr Shape shapes[] = {{256, 256, 256},
                            {1024, 1024, 1024},
                            {4096, 4096, 4096},
                            {18432, 128, 576},
                            {1152, 512, 2304},
                            {67712, 64, 576},
                            {32, 1000, 4096},
                            {8, 512, 512},
                            {7, 128, 1024},
                            {32, 3, 512},
                            {36864, 64, 27},
                            {67712, 64, 27},
                            {1, 4096, 4096},
                            {4608, 64, 64},
                            {4608, 256, 64},
                            {288, 1024, 256},
                            {128, 2048, 512},
                            {4096, 1000, 32, Form::tn},
                            {128, 512, 4608, Form::tn},
                            {64, 64, 4608, Form::tn},
                            {64, 256, 4608, Form::tn},
                            {128, 512, 1152, Form::tn},
                            {256, 1024, 288, Form::tn},
                            {512, 2048, 128, Form::tn},
                            {512, 512, 512, Form::tn},
                            {4096, 1000, 32, Form::nt},
                            {32, 512, 3, Form::nt},
                            {128, 512, 4608, Form::nt},
                            {64, 256, 4608, Form::nt},
                            {512, 512, 512, Form::nt}};

void ours(benchmark::State& state, const Shape& s, int threads) {
  using kernels::Transpose;
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  const kernels::Gemm<float> g{.transpose_a = s.transposes_a() ? Transpose::yes : Transpose::no,
                               .transpose_b = s.transposes_b() ? Transpose::yes : Transpose::no,
                               .m = s.m,
                               .n = s.n,
                               .k = s.k,
                               .a = a.data(),
                               .lda = s.lda(),
                               .b = b.data(),
                               .ldb = s.ldb(),
                               .c = c.data(),
                               .ldc = s.n};
  const Buffer workspace(kernels::gemm_workspace(g, threads));
  measure_flops(state, s.flops(), [&] { kernels::gemm(g, threads, workspace.data()); });
  state.SetLabel(to_string(active_isa()));
}

void eigen(benchmark::State& state, const Shape& s, int threads) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  measure_flops(state, s.flops(), [&] {
    eigen_gemm(s.transposes_a(), s.transposes_b(), s.m, s.n, s.k, a.data(), b.data(), c.data(), threads);
  });
}

#if MIEN_HAVE_OPENBLAS
extern "C" void openblas_set_num_threads(int threads);

void openblas(benchmark::State& state, const Shape& s, int threads) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  const auto narrow = [](std::int64_t size) { return static_cast<int>(size); };
  openblas_set_num_threads(threads);
  measure_flops(state, s.flops(), [&] {
    cblas_sgemm(CblasRowMajor, s.transposes_a() ? CblasTrans : CblasNoTrans,
                s.transposes_b() ? CblasTrans : CblasNoTrans, narrow(s.m), narrow(s.n), narrow(s.k), 1, a.data(),
                narrow(s.lda()), b.data(), narrow(s.ldb()), 0, c.data(), narrow(s.n));
  });
}
#endif

#if MIEN_HAVE_ONEDNN
void onednn(benchmark::State& state, const Shape& s, int threads) {
  const Operand a(s.m * s.k), b(s.k * s.n), c(s.m * s.n);
  omp_set_num_threads(threads);
  measure_flops(state, s.flops(), [&] {
    dnnl::sgemm(s.transposes_a() ? 'T' : 'N', s.transposes_b() ? 'T' : 'N', s.m, s.n, s.k, 1, a.data(), s.lda(),
                b.data(), s.ldb(), 0, c.data(), s.n);
  });
}
#endif

void register_all() {
  for (const std::int64_t depth : Tiles::depths)
    register_timed("tile/" + std::to_string(depth), [=](benchmark::State& state) { tiles(state, depth); });
  for (const int threads : thread_counts()) {
    const std::string suffix = threads_suffix(threads);
    register_timed("peak" + suffix, [=](benchmark::State& state) { peak(state, false, threads); });
    register_timed("peak_storing" + suffix, [=](benchmark::State& state) { peak(state, true, threads); });
    for (const Shape& s : shapes) {
      const auto add = [&](const std::string& who, void (*body)(benchmark::State&, const Shape&, int)) {
        register_timed(who + s.name() + suffix, [=](benchmark::State& state) { body(state, s, threads); });
      };
      add("", ours);
      add("eigen/", eigen);
#if MIEN_HAVE_OPENBLAS
      add("openblas/", openblas);
#endif
#if MIEN_HAVE_ONEDNN
      add("onednn/", onednn);
#endif
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
