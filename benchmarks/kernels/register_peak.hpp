// The most that a backend's multiply-adds can do: on registers alone, by all threads at once, in this very run.
#pragma once
#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>
#include <utility>

#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/core/parallel.hpp>

// clang-format off
#define SKEWGRAD_ISA_PORTABLE
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include "register_peak.inl"
#include <skewgrad/backend/cpu/isa/end.hpp>
#if defined(__x86_64__)
#define SKEWGRAD_ISA_AVX2
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include "register_peak.inl"
#include <skewgrad/backend/cpu/isa/end.hpp>
#define SKEWGRAD_ISA_AVX512
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include "register_peak.inl"
#include <skewgrad/backend/cpu/isa/end.hpp>
#endif
// clang-format on

namespace peak {

/// Operations a second of f32 multiply-adds, on operands of which one is half zeros, as after a rectifier. The best of
/// many short runs: a shared machine slows some, and speeds none up.
inline double of_registers(skewgrad::cpu::InstructionSet set, int threads) {
    using namespace skewgrad::cpu;
    static std::map<std::pair<InstructionSet, int>, double> known;
    if (const auto seen = known.find({set, threads}); seen != known.end()) return seen->second;
    auto [spin, operations] = std::pair(&portable::spin, portable::operations_a_round);
#if defined(__x86_64__)
    if (set == InstructionSet::avx2) std::tie(spin, operations) = std::tuple(&avx2::spin, avx2::operations_a_round);
    if (set == InstructionSet::avx512)
        std::tie(spin, operations) = std::tuple(&avx512::spin, avx512::operations_a_round);
#endif
    alignas(64) float rectified[64], dense[64];
    for (int i = 0; i < 64; ++i) {
        rectified[i] = i % 2 == 0 ? 1e-3f * static_cast<float>(i + 1) : 0.0f;
        dense[i] = 1e-3f * static_cast<float>(64 - i);
    }
    constexpr long rounds = 20000;
    double best = 0;
    volatile float kept = 0;
    for (int i = 0; i < 300; ++i) {
        using Clock = std::chrono::steady_clock;
        const auto start = Clock::now();
        skewgrad::parallel_for(threads, threads, [&](int) { kept = spin(rounds, rectified, dense); });
        const std::chrono::duration<double> seconds = Clock::now() - start;
        best = std::max(best, threads * rounds * operations / seconds.count());
    }
    return known[{set, threads}] = best;
}

/// The same for a backend's context; 0 where nobody has said what a backend's peak is.
template <class Context>
double of(const Context&) {
    return 0;
}
inline double of(const skewgrad::Cpu<skewgrad::f32>::Context& on) {
    return of_registers(on.kernels().set, on.threads());
}

}  // namespace peak
