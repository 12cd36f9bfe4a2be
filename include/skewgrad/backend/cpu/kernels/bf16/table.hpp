// The bf16 CPU kernels of every instruction set as tables of functions: pair_kernels(set).convolve(...).
#pragma once
#include <cassert>
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cpu/kernels/bf16/arguments.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/line_arguments.hpp>
#include <skewgrad/backend/cpu/kernels/table.hpp>
#include <skewgrad/core/config.hpp>
#include <skewgrad/core/cpu_features.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// A set's kernels for weight gradients of lines.
struct LineKernels {
    void (*lay_inputs)(const LineInputs&) noexcept;
    void (*lay_taps)(const TapLines&) noexcept;
    void (*lay_slopes)(const LineSlopes&) noexcept;
    void (*accumulate)(const LineGradient&) noexcept;
};

/// One instruction set's bf16 kernels. Each is serial, allocates nothing and throws nothing; what it computes is
/// documented at its argument's type.
struct PairKernelTable {
    InstructionSet set;
    void (*convolve)(const PairConvolution&) noexcept;
    void (*accumulate_weight_gradient)(const PairWeightGradient&) noexcept;
    void (*pack)(const PairPacking&) noexcept;
    void (*pack_transposed)(const PairPacking&) noexcept;
    void (*pair_rows)(const PairRows&) noexcept;
    void (*split)(const float* from, std::ptrdiff_t count, Bfloat16* to) noexcept;  ///< to[count][2]: two parts of each
    void (*drop)(const Bf16Drop&) noexcept;
    void (*max_pool)(const MaxPool<Bfloat16>&) noexcept;
    void (*max_pool_gradient)(const MaxPoolGradient<Bfloat16>&) noexcept;
    bool tiles;                ///< whether `convolve` takes tiles of pixels, and interleaved images
    const LineKernels* lines;  ///< null where weight gradients of lines have no advantage
};

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE

// clang-format off
#define SKEWGRAD_ISA_PORTABLE
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#if defined(__x86_64__)
#define SKEWGRAD_ISA_AVX2
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#define SKEWGRAD_ISA_AVX512
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#define SKEWGRAD_ISA_AVX512_BF16
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/all.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
#endif
// clang-format on

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// The bf16 kernels of one instruction set. Calling those of a set above best_instruction_set() is undefined, and those
/// of amx where tile_refusal() says something (tile_permission.hpp).
inline const PairKernelTable& pair_kernels(InstructionSet set) noexcept {
#if defined(__x86_64__)
    if (set == InstructionSet::amx) return avx512_bf16::amx_pair_table;
    if (set == InstructionSet::avx512_bf16) return avx512_bf16::pair_table;
    if (set == InstructionSet::avx512) return avx512::pair_table;
    if (set == InstructionSet::avx2) return avx2::pair_table;
#endif
    assert(set == InstructionSet::portable);
    return portable::pair_table;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
