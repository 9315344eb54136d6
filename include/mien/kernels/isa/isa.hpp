#pragma once
// Which vector instructions the kernels use: found out at run time, so that a program compiled with plain -O2 is fast.

#include <atomic>
#include <cstdlib>
#include <string_view>

#include <mien/core/error.hpp>

namespace mien::inline v0 {

/// The sets of instructions that the kernels are compiled for, slowest first.
/// portable: 16-byte vectors, no FMA, any machine; avx2: AVX2 and FMA; avx512: AVX-512 F, VL, DQ, BW.
enum class Isa : int { portable, avx2, avx512 };

[[nodiscard]] constexpr const char* to_string(Isa isa) {
  return isa == Isa::avx512 ? "avx512" : isa == Isa::avx2 ? "avx2" : "portable";
}

/// The best set that this processor and operating system have.
[[nodiscard]] inline Isa best_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return Isa::avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::avx2;
#endif
  return Isa::portable;
}

/// The set of that name. Throws OptionError on an unknown name or a set that this processor lacks.
[[nodiscard]] inline Isa parse_isa(std::string_view name) {
  for (const Isa isa : {Isa::portable, Isa::avx2, Isa::avx512}) {
    if (name != to_string(isa)) continue;
    if (isa > best_isa())
      throw OptionError(text("the instruction set '", name, "' was asked for, but this processor has only '",
                             to_string(best_isa()), "'; choose that or a lower one"));
    return isa;
  }
  throw OptionError(
      text("unknown instruction set '", name, "': expected portable, avx2 or avx512 (environment variable MIEN_ISA)"));
}

namespace detail {
/// The library's only mutable global: the chosen set.
inline std::atomic<Isa>& chosen_isa() {
  static std::atomic<Isa> isa = [] {
    const char* forced = std::getenv("MIEN_ISA");
    return forced != nullptr && *forced != '\0' ? parse_isa(forced) : best_isa();
  }();
  return isa;
}
}  // namespace detail

/// The set in use: the environment variable MIEN_ISA if it is set when first asked, else the best one.
[[nodiscard]] inline Isa active_isa() { return detail::chosen_isa().load(std::memory_order_relaxed); }

/// Chooses the set for all later calls in the process; to be called before there is a model, whose memory is measured
/// for the set in use when it is planned. Throws OptionError if the processor lacks the set.
inline void set_isa(Isa isa) { detail::chosen_isa().store(parse_isa(to_string(isa)), std::memory_order_relaxed); }

}  // namespace mien::inline v0
