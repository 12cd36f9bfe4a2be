// What the benchmarks of single kernels share: the layers, memory with values as after a rectifier, comparing and
// timing.
#pragma once
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>

#include <skewgrad/backend/cpu/kernels/arguments.hpp>

namespace kernel_timing {

using skewgrad::cpu::blocks_of, skewgrad::cpu::channel_block;
using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

template <class T>
struct Aligned {
    T* values;
    std::size_t size;
    explicit Aligned(std::ptrdiff_t n)
        : values(new(std::align_val_t{64}) T[static_cast<std::size_t>(n)]), size(static_cast<std::size_t>(n)) {}
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;
    ~Aligned() { ::operator delete[](values, std::align_val_t{64}); }
    // Half of the values zero, as after a ReLU; magnitudes that stay finite over many accumulations.
    void fill(std::uint64_t state) {
        for (std::size_t i = 0; i < size; ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            values[i] = T(std::max(0.0f, static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-40f));
        }
    }
};

struct Layer {
    const char* name;
    int in_c, out_c, taps, h, w;
    int pixel(int c) const { return c <= 4 ? c : blocks_of(c) * channel_block; }
    double operations() const { return 2.0 * in_c * out_c * taps * taps * h * w; }
};

inline const Layer layers[] = {
    {"3to32_32x32", 3, 32, 3, 32, 32},           {"32to32_32x32", 32, 32, 3, 32, 32},
    {"32to64_16x16", 32, 64, 3, 16, 16},         {"64to64_16x16", 64, 64, 3, 16, 16},
    {"64to128_8x8", 64, 128, 3, 8, 8},           {"128to128_8x8", 128, 128, 3, 8, 8},
    {"128to128_4x4", 128, 128, 3, 4, 4},         {"256to256_8x8", 256, 256, 3, 8, 8},
    {"32to3_32x32", 32, 3, 3, 32, 32},           {"dense_2048to512_32", 2048, 512, 1, 1, 32},
    {"dense_512to2048_32", 512, 2048, 1, 1, 32}, {"dense_512to10_32", 512, 10, 1, 1, 32},
    {"dense_2048to512_1", 2048, 512, 1, 1, 1},
};

/// Images of a layer that a kernel goes round, so that inputs are no warmer than in a network.
inline constexpr int images = 16;

/// Ends the program where the relative error is not below `most`.
template <class T>
void require_close(const Aligned<T>& a, const Aligned<T>& b, double most, const std::string& what) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < a.size; ++i) {
        error += std::pow(double(float(a.values[i])) - double(float(b.values[i])), 2);
        size += std::pow(double(float(b.values[i])), 2);
    }
    if (std::sqrt(error / size) < most) return;
    std::fprintf(stderr, "%s: relative error %g against the portable set\n", what.c_str(), std::sqrt(error / size));
    std::exit(1);
}

/// Times `call(image)` image by image and reports the best one, and its share of `most` operations a second.
template <class Call>
void time_images(benchmark::State& state, double most, double operations, const Call& call) {
    double best = 1e9;
    int image = 0;
    for (auto _ : state) {
        const auto start = Clock::now();
        call(image);
        best = std::min(best, seconds_since(start));
        image = (image + 1) % images;
    }
    state.counters["best_GF/s"] = operations / best * 1e-9;
    state.counters["of_peak_%"] = 100 * operations / best / most;
}

}  // namespace kernel_timing
