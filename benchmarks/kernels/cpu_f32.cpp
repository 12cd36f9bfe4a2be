// links: benchmark::benchmark
// The f32 CPU kernels, one thread, on every instruction set of this machine: operations a second, and their share of
// what multiply-adds on registers alone reach in the same run. Results are compared with the portable set's first.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdio>
#include <string>

#include <skewgrad/backend/cpu/kernels/table.hpp>

#include "kernel_timing.hpp"
#include "register_peak.hpp"

namespace {

using namespace skewgrad::cpu;
using namespace kernel_timing;
// One layer's memory.
struct Memory {
    Layer layer;
    std::ptrdiff_t in_pixel, in_row, in_image, out_pixel, out_row, out_image;
    Aligned<float> in, out, weights, bias;
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
                .d_out = out.values + image * out_image,
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

// Both err by 2e-7 sqrt(t) at most, t being below 20,000 products a sum.
constexpr double tolerance = 6e-5;

void add(InstructionSet set, const Layer& layer) {
    const std::string place = std::string(name(set)) + "/" + layer.name;
    benchmark::RegisterBenchmark(("convolve/" + place).c_str(), [set, layer, place](benchmark::State& state) {
        Memory mine(layer), twin(layer);
        kernels(set).convolve(mine.convolution(0));
        kernels(InstructionSet::portable).convolve(twin.convolution(0));
        require_close(mine.out, twin.out, tolerance, place);
        time_images(state, peak::of_registers(peak::spin_of(set), 1), layer.operations(),
                    [&](int image) { kernels(set).convolve(mine.convolution(image)); });
    });
    benchmark::RegisterBenchmark(("weight_gradient/" + place).c_str(), [set, layer, place](benchmark::State& state) {
        Memory mine(layer), twin(layer);
        kernels(set).accumulate_weight_gradient(mine.weight_gradient(0));
        kernels(InstructionSet::portable).accumulate_weight_gradient(twin.weight_gradient(0));
        require_close(mine.weights, twin.weights, tolerance, place);
        time_images(state, peak::of_registers(peak::spin_of(set), 1), layer.operations(),
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
        std::printf("%s: multiply-adds on registers reach %.1f GF/s\n", name(set),
                    peak::of_registers(peak::spin_of(set), 1) * 1e-9);
        for (const Layer& layer : layers) add(set, layer);
    }
    benchmark::RunSpecifiedBenchmarks();
}
