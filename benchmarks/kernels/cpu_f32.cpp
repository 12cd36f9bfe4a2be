// links: benchmark::benchmark
// The f32 CPU kernels, one thread, on every instruction set of this machine: operations a second, and their share of
// what multiply-adds on registers alone reach in the same run. Results are compared with the portable set's first.
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

#include <skewgrad/backend/cpu/kernels/table.hpp>

#include "register_peak.hpp"

namespace {

using namespace skewgrad::cpu;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Aligned {
    float* values;
    std::size_t size;
    explicit Aligned(std::ptrdiff_t n)
        : values(new(std::align_val_t{64}) float[static_cast<std::size_t>(n)]), size(static_cast<std::size_t>(n)) {}
    Aligned(const Aligned&) = delete;
    Aligned& operator=(const Aligned&) = delete;
    ~Aligned() { ::operator delete[](values, std::align_val_t{64}); }
    // Half of the values zero, as after a ReLU; magnitudes that stay finite over many accumulations.
    void fill(std::uint64_t state) {
        for (std::size_t i = 0; i < size; ++i) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            values[i] = std::max(0.0f, static_cast<float>(static_cast<std::int32_t>(state >> 32)) * 0x1p-40f);
        }
    }
};

struct Layer {
    const char* name;
    int in_c, out_c, taps, h, w;
    int pixel(int c) const { return c <= 4 ? c : blocks_of(c) * channel_block; }
    double operations() const { return 2.0 * in_c * out_c * taps * taps * h * w; }
};

const Layer layers[] = {
    {"3to32_32x32", 3, 32, 3, 32, 32},           {"32to32_32x32", 32, 32, 3, 32, 32},
    {"32to64_16x16", 32, 64, 3, 16, 16},         {"64to64_16x16", 64, 64, 3, 16, 16},
    {"64to128_8x8", 64, 128, 3, 8, 8},           {"128to128_8x8", 128, 128, 3, 8, 8},
    {"128to128_4x4", 128, 128, 3, 4, 4},         {"256to256_8x8", 256, 256, 3, 8, 8},
    {"32to3_32x32", 32, 3, 3, 32, 32},           {"dense_2048to512_32", 2048, 512, 1, 1, 32},
    {"dense_512to2048_32", 512, 2048, 1, 1, 32}, {"dense_512to10_32", 512, 10, 1, 1, 32},
    {"dense_2048to512_1", 2048, 512, 1, 1, 1},
};

// One layer's memory, with 16 images of it, so that inputs are no warmer than in a network.
struct Memory {
    Layer layer;
    static constexpr int images = 16;
    std::ptrdiff_t in_pixel, in_row, in_image, out_pixel, out_row, out_image;
    Aligned in, out, weights, bias;
    explicit Memory(const Layer& l)
        : layer(l),
          in_pixel(l.pixel(l.in_c)),
          in_row((l.w + l.taps - 1) * in_pixel),
          in_image((l.h + l.taps - 1) * in_row),
          out_pixel(l.pixel(l.out_c)),
          out_row(l.w * out_pixel),
          out_image(l.h * out_row),
          in(images * in_image),
          out(images * out_image),
          weights(std::ptrdiff_t(blocks_of(l.out_c)) * l.taps * l.taps * l.in_c * channel_block),
          bias(blocks_of(l.out_c) * channel_block) {
        in.fill(1);
        out.fill(2);
        weights.fill(3);
        bias.fill(4);
    }
    Convolution convolution(int image) const {
        return {.in = in.values + image * in_image,
                .in_row = in_row,
                .in_pixel = in_pixel,
                .in_c = layer.in_c,
                .taps_h = layer.taps,
                .taps_w = layer.taps,
                .stride = 1,
                .weights = weights.values,
                .bias = bias.values,
                .out = out.values + image * out_image,
                .out_row = out_row,
                .out_pixel = out_pixel,
                .out_c = layer.out_c,
                .out_h = layer.h,
                .out_w = layer.w,
                .out_block_begin = 0,
                .out_block_end = blocks_of(layer.out_c)};
    }
    WeightGradient weight_gradient(int image) const {
        return {.in = in.values + image * in_image,
                .in_row = in_row,
                .in_pixel = in_pixel,
                .in_c = layer.in_c,
                .taps_h = layer.taps,
                .taps_w = layer.taps,
                .stride = 1,
                .out_gradient = out.values + image * out_image,
                .out_row = out_row,
                .out_pixel = out_pixel,
                .out_c = layer.out_c,
                .out_h = layer.h,
                .out_w = layer.w,
                .gradient = weights.values,
                .bias_gradient = bias.values,
                .unit_begin = 0,
                .unit_end = blocks_of(layer.out_c) * layer.taps * layer.taps};
    }
};

void require_close(const Aligned& a, const Aligned& b, const std::string& what) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < a.size; ++i) {
        error += std::pow(double(a.values[i]) - double(b.values[i]), 2);
        size += std::pow(double(b.values[i]), 2);
    }
    // Both err by 2e-7 sqrt(t) at most, t being below 20,000 products a sum.
    if (std::sqrt(error / size) < 6e-5) return;
    std::fprintf(stderr, "%s: relative error %g against the portable set\n", what.c_str(), std::sqrt(error / size));
    std::exit(1);
}

// Times `call(image)` image by image and reports the best one.
template <class Call>
void time_images(benchmark::State& state, InstructionSet set, double operations, const Call& call) {
    const double most = peak::of_registers(set, 1);
    double best = 1e9;
    int image = 0;
    for (auto _ : state) {
        const auto start = Clock::now();
        call(image);
        best = std::min(best, seconds_since(start));
        image = (image + 1) % Memory::images;
    }
    state.counters["best_GF/s"] = operations / best * 1e-9;
    state.counters["of_peak_%"] = 100 * operations / best / most;
}

void add(InstructionSet set, const Layer& layer) {
    const std::string place = std::string(name(set)) + "/" + layer.name;
    benchmark::RegisterBenchmark(("convolve/" + place).c_str(), [set, layer, place](benchmark::State& state) {
        Memory mine(layer), twin(layer);
        kernels(set).convolve(mine.convolution(0));
        kernels(InstructionSet::portable).convolve(twin.convolution(0));
        require_close(mine.out, twin.out, place);
        time_images(state, set, layer.operations(), [&](int image) { kernels(set).convolve(mine.convolution(image)); });
    });
    benchmark::RegisterBenchmark(("weight_gradient/" + place).c_str(), [set, layer, place](benchmark::State& state) {
        Memory mine(layer), twin(layer);
        kernels(set).accumulate_weight_gradient(mine.weight_gradient(0));
        kernels(InstructionSet::portable).accumulate_weight_gradient(twin.weight_gradient(0));
        require_close(mine.weights, twin.weights, place);
        time_images(state, set, layer.operations(),
                    [&](int image) { kernels(set).accumulate_weight_gradient(mine.weight_gradient(image)); });
    });
}

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    for (InstructionSet set : instruction_sets) {
        if (set > best_instruction_set()) {
            std::printf("skipped %s: this processor lacks it\n", name(set));
            continue;
        }
        std::printf("%s: multiply-adds on registers reach %.1f GF/s\n", name(set), peak::of_registers(set, 1) * 1e-9);
        for (const Layer& layer : layers) add(set, layer);
    }
    benchmark::RunSpecifiedBenchmarks();
}
