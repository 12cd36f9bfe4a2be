// The tile kernels in the portable set, on tile registers in plain C++: what runs where a processor has none.
#pragma once
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <skewgrad/backend/cpu/kernels/bf16/table.hpp>

// clang-format off
#define SKEWGRAD_ISA_PORTABLE
#include <skewgrad/backend/cpu/isa/begin.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/rows.inl>
#include <skewgrad/backend/cpu/kernels/bf16/tile_gradient.inl>
#include <skewgrad/backend/cpu/kernels/bf16/tiles.inl>
#include <skewgrad/backend/cpu/isa/end.hpp>
// clang-format on

namespace skewgrad_tests {

/// A thread's registers, with the instructions' semantics (Intel's Software Developer's Manual, TDPBF16PS): products of
/// first and of second halves are summed apart, then joined. Uses of unconfigured registers are counted.
struct EmulatedTiles {
    static inline thread_local float numbers[8][16][16];
    static inline thread_local bool configured = false;
    static inline std::atomic<int> configurations{0}, unconfigured_uses{0};

    static void configure() {
        configured = true;
        ++configurations;
        std::memset(numbers, 0, sizeof numbers);
    }
    static void release() { configured = false; }
    template <int tile>
    static void load(const void* from, std::ptrdiff_t row) {
        unconfigured_uses += !configured;
        for (int r = 0; r < 16; ++r) std::memcpy(numbers[tile][r], static_cast<const char*>(from) + r * row, 64);
    }
    template <int tile>
    static void store(void* to, std::ptrdiff_t row) {
        unconfigured_uses += !configured;
        for (int r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(to) + r * row, numbers[tile][r], 64);
    }
    template <int sums, int a, int b>
    static void add_products() {
        unconfigured_uses += !configured;
        const auto half = [](float pair, int which) {
            const auto bits = std::bit_cast<std::uint32_t>(pair);
            return std::bit_cast<float>(which == 0 ? bits << 16 : bits & 0xffff0000u);
        };
        for (int m = 0; m < 16; ++m)
            for (int n = 0; n < 16; ++n) {
                float first = 0, second = 0;
                for (int k = 0; k < 16; ++k) {
                    first = std::fma(half(numbers[a][m][k], 0), half(numbers[b][k][n], 0), first);
                    second = std::fma(half(numbers[a][m][k], 1), half(numbers[b][k][n], 1), second);
                }
                numbers[sums][m][n] += first + second;
            }
    }
};

inline constexpr skewgrad::cpu::RowKernels emulated_row_kernels{
    &skewgrad::cpu::portable::lay_inputs, &skewgrad::cpu::portable::lay_taps, &skewgrad::cpu::portable::lay_gradients,
    &skewgrad::cpu::portable::accumulate_by_tiles<EmulatedTiles>};

/// AMX's table, its tiles emulated and the rest portable.
inline constexpr skewgrad::cpu::PairKernelTable emulated_tile_table = [] {
    skewgrad::cpu::PairKernelTable table = skewgrad::cpu::portable::pair_table;
    table.convolve = &skewgrad::cpu::portable::convolve_by_tiles<EmulatedTiles>;
    table.tiles = true;
    table.rows = &emulated_row_kernels;
    return table;
}();

}  // namespace skewgrad_tests
