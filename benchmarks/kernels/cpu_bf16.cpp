// links: benchmark::benchmark
// The bf16 CPU kernels, one thread, on every instruction set of this machine: operations a second, and their share of
// what products of pairs on registers alone reach in the same run. Results are compared with the portable set's first.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdio>
#include <string>

#include <skewgrad/backend/cpu/bf16_conv_stage.hpp>
#include <skewgrad/backend/cpu/bf16_row_gradient.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/table.hpp>
#include <skewgrad/backend/cpu/tile_permission.hpp>

#include "kernel_timing.hpp"
#include "register_peak.hpp"

namespace {

using namespace skewgrad;
using namespace skewgrad::cpu;
using namespace kernel_timing;

// One layer's memory: inputs as pairs of channels, bordered, and as panels of pairs of images.
struct Memory {
    const PairKernelTable& kernels;
    Layer layer;
    PairRun run;
    int together;  // images that lie interleaved
    std::ptrdiff_t in_pixel, in_row, in_image, panel_row, panel, panel_image, out_pixel, out_row, out_image;
    Aligned<Bfloat16> in, panels, out, weights;
    Aligned<float> gradient, bias;

    static plan::Layout layout(const Layer& l, int channels) { return Cpu<bf16>::layout({channels, l.h, l.w}, false); }
    static std::ptrdiff_t pixel(int channels) { return Cpu<bf16>::layout({channels, 1, 1}, false).stride_w; }
    Memory(InstructionSet set, const Layer& l)
        : kernels(pair_kernels(set)),
          layer(l),
          run((l.in_c + 1) / 2, static_cast<int>(pixel(l.in_c)), l.taps, kernels.tiles),
          together(kernels.tiles ? interleaved_images(layout(l, l.in_c), layout(l, l.out_c), {l.taps, 1, l.taps / 2})
                                 : 1),
          in_pixel(pixel(l.in_c)),
          in_row((l.w + l.taps - 1) * in_pixel),
          in_image((l.h + l.taps - 1) * in_row),
          panel_row((l.w + l.taps - 1) * 2 * panel_channels),
          panel((l.h + l.taps - 1) * panel_row),
          panel_image(panels_of(l.in_c) * panel),
          out_pixel(pixel(l.out_c)),
          out_row(l.w * out_pixel),
          out_image(l.h * out_row),
          in(images * in_image + read_beyond),
          panels(images / 2 * panel_image),
          out(images * out_image),
          weights(out_pixel * l.taps * (l.taps * run.pairs + run.fill) * 2),
          gradient(std::ptrdiff_t(blocks_of(l.out_c)) * l.taps * l.taps * l.in_c * channel_block),
          bias(blocks_of(l.out_c) * channel_block) {
        in.fill(1);
        panels.fill(2);
        out.fill(3);
        Aligned<float> masters(std::ptrdiff_t(blocks_of(l.out_c)) * l.taps * l.taps * l.in_c * channel_block);
        masters.fill(4);
        kernels.pack({masters.values, weights.values, l.in_c, l.out_c, l.taps, false, run.pairs, run.fill, 0,
                      static_cast<int>(out_pixel) / channel_block});
        gradient.fill(5);
        bias.fill(6);
    }
    PairConvolution convolution(int image) const {
        PairConvolution job{};
        job.in = in.values + image / together * together * in_image;
        job.in_row = in_row * together;
        job.images = job.stored_images = together;
        job.in_pixel = in_pixel;
        job.pairs = run.pairs;
        job.row_fill = run.fill;
        job.taps_h = job.taps_w = layer.taps;
        job.weights = weights.values;
        job.bias = bias.values;
        job.out = out.values + image / together * together * out_image;
        job.out_image = out_image;
        job.rectify = true;
        job.out_row = out_row;
        job.out_pixel = out_pixel;
        job.out_c = layer.out_c;
        job.out_h = layer.h;
        job.out_w = layer.w;
        job.out_block_end = static_cast<int>(out_pixel) / channel_block;
        return job;
    }
    /// The same of one of `others` images that lie interleaved.
    PairConvolution convolution_alone(int image, int others) const {
        PairConvolution job = convolution(image);
        job.in = in.values + image * in_pixel;
        job.in_row *= others;
        job.in_pixel *= others;
        return job;
    }
    /// Of images 2 `pair` and the one after it.
    PairWeightGradient weight_gradient(int pair) const {
        PairWeightGradient job{};
        job.in = panels.values + pair * panel_image;
        job.in_panel = panel;
        job.in_row = panel_row;
        job.in_c = layer.in_c;
        job.taps_h = job.taps_w = layer.taps;
        job.first = out.values + 2 * pair * out_image;
        job.second = job.first + out_image;
        job.out_row = out_row;
        job.out_pixel = out_pixel;
        job.out_c = layer.out_c;
        job.out_h = layer.h;
        job.out_w = layer.w;
        job.gradient = gradient.values;
        job.gradient_block = std::ptrdiff_t(layer.taps) * layer.taps * layer.in_c * channel_block;
        job.bias_gradient = bias.values;
        job.unit_end = job.units();
        return job;
    }
};

// The weight gradient of concatenated rows, laying them out included: of as many pairs of images as a layer lays out
// together.
struct Rows {
    const RowKernels& kernels;
    RowLayer layer;
    std::ptrdiff_t in_pixel, out_pixel, in_image, out_image;
    Aligned<Bfloat16> in, out, inputs, gradients;
    Aligned<float> gradient, bias;

    Rows(const RowKernels& k, const Layer& l)
        : kernels(k),
          layer{{l.h, l.w, l.taps / 2, l.taps}, {l.in_c, l.out_c, l.taps}, 1, false},
          in_pixel(Memory::pixel(l.in_c)),
          out_pixel(Memory::pixel(l.out_c)),
          in_image(std::ptrdiff_t(l.h) * l.w * in_pixel),
          out_image(std::ptrdiff_t(l.h) * l.w * out_pixel),
          in(together() * in_image),
          out(together() * out_image),
          inputs(static_cast<std::ptrdiff_t>(layer.inputs())),
          gradients(static_cast<std::ptrdiff_t>(layer.gradients())),
          gradient(static_cast<std::ptrdiff_t>(layer.masters.weights())),
          bias(blocks_of(l.out_c) * channel_block) {
        in.fill(2);
        out.fill(3);
        gradient.fill(5);
        bias.fill(6);
    }
    int together() const { return 2 * layer.pairs(); }
    RowImages images(const Bfloat16* at, std::ptrdiff_t image, std::ptrdiff_t pixel) const {
        return {at, image, layer.plan.in_w * pixel, pixel, together()};
    }
    void run() const {
        const int in_c = layer.masters.in_c, blocks = blocks_of(layer.masters.out_c), group = layer.group();
        kernels.lay_inputs(
            {layer.plan, images(in.values, in_image, in_pixel), 0, layer.channels_laid(), inputs.values});
        for (int block = 0; block < blocks; block += 2) {
            const int here = std::min(2, blocks - block);
            kernels.lay_gradients({layer.plan, images(out.values, out_image, out_pixel), block, block + here,
                                   gradients.values, bias.values});
            kernels.accumulate({layer.plan, layer.pairs(), inputs.values, 0, gradients.values, in_c, gradient.values,
                                std::ptrdiff_t(layer.unit_taps()) * in_c * channel_block, block, here, 0, group});
        }
    }
    // The same by the portable set's panels, image pair by image pair.
    void run_by_panels() const {
        const PairKernelTable& portable = pair_kernels(InstructionSet::portable);
        const RowPlan& plan = layer.plan;
        const std::ptrdiff_t row = std::ptrdiff_t(plan.in_w + 2 * plan.padding) * 2 * panel_channels,
                             panel = (plan.in_h + 2 * plan.padding) * row;
        const Aligned<Bfloat16> panels(panels_of(layer.masters.in_c) * panel);
        std::fill_n(panels.values, panels.size, Bfloat16{});
        for (int n = 0; n < together(); n += 2) {
            for (int y = 0; y < plan.in_h; ++y) {
                const Bfloat16* first = in.values + n * in_image + y * plan.in_w * in_pixel;
                portable.pair_rows({first, first + in_image, in_pixel, plan.in_w, panels_of(layer.masters.in_c),
                                    panels.values + (y + plan.padding) * row + plan.padding * 2 * panel_channels, panel,
                                    2 * panel_channels});
            }
            PairWeightGradient job{};
            job.in = panels.values;
            job.in_panel = panel;
            job.in_row = row;
            job.in_c = layer.masters.in_c;
            job.taps_h = job.taps_w = plan.taps;
            job.first = out.values + n * out_image;
            job.second = job.first + out_image;
            job.out_row = plan.out_w() * out_pixel;
            job.out_pixel = out_pixel;
            job.out_c = layer.masters.out_c;
            job.out_h = plan.out_h();
            job.out_w = plan.out_w();
            job.gradient = gradient.values;
            job.gradient_block = std::ptrdiff_t(layer.unit_taps()) * layer.masters.in_c * channel_block;
            job.bias_gradient = bias.values;
            job.unit_end = job.units();
            portable.accumulate_weight_gradient(job);
        }
    }
};

void add_rows(InstructionSet set, const Layer& layer) {
    const RowKernels* kernels = pair_kernels(set).rows;
    if (!kernels) return;
    const std::string place = std::string(name(set)) + "/" + layer.name;
    benchmark::RegisterBenchmark(("weight_gradient_of_rows/" + place).c_str(), [=](benchmark::State& state) {
        const Rows mine(*kernels, layer), twin(*kernels, layer);
        mine.run();
        twin.run_by_panels();
        require_close(mine.gradient, twin.gradient, 6e-5, place);
        time_images(state, peak::of_registers(peak::pair_spin_of(set), 1), mine.together() * layer.operations(),
                    [&](int) { mine.run(); });
    });
}

void add(InstructionSet set, const Layer& layer) {
    const std::string place = std::string(name(set)) + "/" + layer.name;
    const auto most = [set] { return peak::of_registers(peak::pair_spin_of(set), 1); };
    benchmark::RegisterBenchmark(("convolve/" + place).c_str(), [=](benchmark::State& state) {
        Memory mine(set, layer), twin(InstructionSet::portable, layer);
        pair_kernels(set).convolve(mine.convolution(0));
        for (int image = 0; image < mine.together; ++image)
            pair_kernels(InstructionSet::portable).convolve(twin.convolution_alone(image, mine.together));
        require_close(mine.out, twin.out, 2e-3, place);  // sums of another order may round to the other neighbour
        time_images(state, most(), mine.together * layer.operations(),
                    [&](int image) { pair_kernels(set).convolve(mine.convolution(image)); });
    });
    benchmark::RegisterBenchmark(("weight_gradient/" + place).c_str(), [=](benchmark::State& state) {
        Memory mine(set, layer), twin(InstructionSet::portable, layer);
        pair_kernels(set).accumulate_weight_gradient(mine.weight_gradient(0));
        pair_kernels(InstructionSet::portable).accumulate_weight_gradient(twin.weight_gradient(0));
        require_close(mine.gradient, twin.gradient, 6e-5, place);
        time_images(state, most(), 2 * layer.operations(),
                    [&](int image) { pair_kernels(set).accumulate_weight_gradient(mine.weight_gradient(image / 2)); });
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
        if (const std::string refusal = set == InstructionSet::amx ? tile_refusal() : ""; !refusal.empty()) {
            std::printf("skipped %s: %s\n", name(set), refusal.c_str());
            continue;
        }
        std::printf("%s: products of pairs on registers reach %.1f GF/s\n", name(set),
                    peak::of_registers(peak::pair_spin_of(set), 1) * 1e-9);
        for (const Layer& layer : layers) {
            add(set, layer);
            add_rows(set, layer);
        }
    }
    benchmark::RunSpecifiedBenchmarks();
}
