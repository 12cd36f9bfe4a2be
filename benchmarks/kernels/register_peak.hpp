// The most that a backend's multiply-adds can do: on registers alone, by all threads at once, in this very run.
#pragma once
#include <algorithm>
#include <chrono>
#include <map>
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
#define SKEWGRAD_ISA_AVX512_BF16
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include "register_peak.inl"
#include <skewgrad/backend/cpu/isa/end.hpp>
#endif
// clang-format on

namespace peak {

/// What one set's instructions do on registers, and how many operations a round of it makes.
struct Spin {
    float (*run)(long rounds, const float* a, const float* b) noexcept;
    double operations;
};

/// Multiply-adds of f32.
inline Spin spin_of(skewgrad::cpu::InstructionSet set) {
    using namespace skewgrad::cpu;
#if defined(__x86_64__)
    if (set >= InstructionSet::avx512) return {&avx512::spin, avx512::operations_a_round};
    if (set == InstructionSet::avx2) return {&avx2::spin, avx2::operations_a_round};
#endif
    static_cast<void>(set);
    return {&portable::spin, portable::operations_a_round};
}
/// Products of pairs of bf16, by tiles where the set has them.
inline Spin pair_spin_of(skewgrad::cpu::InstructionSet set) {
    using namespace skewgrad::cpu;
#if defined(__x86_64__)
    if (set == InstructionSet::amx) return {&avx512_bf16::spin_tiles, avx512_bf16::tile_operations_a_round};
    if (set == InstructionSet::avx512_bf16) return {&avx512_bf16::spin_pairs, avx512_bf16::pair_operations_a_round};
    if (set == InstructionSet::avx512) return {&avx512::spin_pairs, avx512::pair_operations_a_round};
    if (set == InstructionSet::avx2) return {&avx2::spin_pairs, avx2::pair_operations_a_round};
#endif
    static_cast<void>(set);
    return {&portable::spin_pairs, portable::pair_operations_a_round};
}

/// Operations a second, on operands of which one is half zeros, as after a rectifier. The best of many short runs: a
/// shared machine slows some, and speeds none up.
inline double of_registers(Spin spin, int threads) {
    static std::map<std::pair<decltype(Spin::run), int>, double> known;
    if (const auto seen = known.find({spin.run, threads}); seen != known.end()) return seen->second;
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
        skewgrad::parallel_for(threads, threads, [&](int) { kept = spin.run(rounds, rectified, dense); });
        const std::chrono::duration<double> seconds = Clock::now() - start;
        best = std::max(best, threads * rounds * spin.operations / seconds.count());
    }
    return known[{spin.run, threads}] = best;
}

/// The same for a backend's context; 0 where nobody has said what a backend's peak is.
template <class Context>
double of(const Context&) {
    return 0;
}
inline double of(const skewgrad::Cpu<skewgrad::f32>::Context& on) {
    return of_registers(spin_of(on.kernels().set), on.threads());
}
inline double of(const skewgrad::Cpu<skewgrad::bf16>::Context& on) {
    return of_registers(pair_spin_of(on.kernels().set), on.threads());
}

}  // namespace peak
