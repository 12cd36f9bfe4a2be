// The f32 CPU kernels of every instruction set as tables of functions: kernels(set).convolve(...).
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cpu/kernels/winograd_arguments.hpp>
#include <skewgrad/core/config.hpp>
#include <skewgrad/core/cpu_features.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// One instruction set's kernels. Each is serial, allocates nothing and throws nothing; what it computes is documented
/// at its argument's type.
struct KernelTable {
    InstructionSet set;
    void (*convolve)(const Convolution&) noexcept;
    void (*accumulate_weight_gradient)(const WeightGradient&) noexcept;
    void (*transpose_weights)(const WeightTranspose&) noexcept;
    void (*max_pool)(const MaxPool<float>&) noexcept;
    void (*max_pool_gradient)(const MaxPoolGradient<float>&) noexcept;
    void (*drop)(const Drop&) noexcept;
    void (*winograd_to_input)(const WinogradScatter&) noexcept;
    void (*winograd_to_gradient)(const WinogradScatter&) noexcept;
    void (*winograd_to_output)(const WinogradGather&) noexcept;
    void (*winograd_to_weights)(const WinogradWeights&) noexcept;
    void (*winograd_to_weight_gradient)(const WinogradWeights&) noexcept;
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE

// One source, compiled once per instruction set, each in its own namespace. The order matters.
// clang-format off
#define SKEWGRAD_ISA_PORTABLE
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#if defined(__x86_64__)
#define SKEWGRAD_ISA_AVX2
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#define SKEWGRAD_ISA_AVX512
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#endif
// clang-format on

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// The kernels of one instruction set; those of avx512 for the sets above it. Calling those of a set above
/// best_instruction_set() is undefined.
inline const KernelTable& kernels(InstructionSet set) noexcept {
#if defined(__x86_64__)
    if (set >= InstructionSet::avx512) return avx512::table;
    if (set == InstructionSet::avx2) return avx2::table;
#endif
    assert(set == InstructionSet::portable);
    return portable::table;
}

/// The kernels of chosen_instruction_set(). The first call throws ValueError for a bad SKEWGRAD_ISA.
inline const KernelTable& kernels() { return kernels(chosen_instruction_set()); }

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
