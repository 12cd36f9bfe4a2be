// The weight gradient of lines, for convolutions and dense layers on instruction sets with tiles.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// A layer whose inputs fill lines; what does not goes without, whatever the images: bits depend on it.
struct LineLayer {
    LinePlan plan;
    Packing masters;
    int stride;
    /// Positions in which sums in registers pay for being fetched and put back.
    static constexpr int worthwhile = 256;
    static constexpr int most_pairs = 16;

    constexpr bool fits() const { return stride == 1 && masters.in_c % line_step == 0; }
    /// Pairs of images that are laid out together.
    constexpr int pairs() const { return std::clamp(worthwhile / (plan.out_h() * plan.out_w()), 1, most_pairs); }
    /// Elements of one lane's scratch for them: all inputs, and the slopes of two blocks of output channels.
    constexpr std::size_t inputs() const { return size(masters.in_c * plan.inputs(pairs()) * 2); }
    constexpr std::size_t slopes() const { return size(2 * channel_block * plan.outputs(pairs()) * 2); }
    constexpr std::size_t scratch() const { return fits() ? inputs() + slopes() : 0; }

    /// Units of two blocks of output channels.
    constexpr int group() const { return masters.in_c / line_step * plan.taps * plan.taps; }
    constexpr int groups() const { return (blocks_of(masters.out_c) + 1) / 2; }

private:
    static constexpr std::size_t size(int elements) { return static_cast<std::size_t>(elements); }
};

inline LineImages line_images(const host::Layout& l, const Bfloat16* first, int count) {
    return {first, static_cast<std::ptrdiff_t>(l.size), l.h, l.w, count};
}

/// Threads share the units. Each lays out what its own need, and sums over all images, in order.
inline void gradient_by_lines(const Bf16Call& call, const LineLayer& layer) {
    const LineKernels& kernels = *call.on.kernels().lines;
    const int taps = layer.plan.taps * layer.plan.taps, in_c = layer.masters.in_c, group = layer.group();
    parallel_ranges(call.on.threads(), layer.groups() * group, [&](int lane, int begin, int end) {
        const int first_group = begin / group, last_group = (end - 1) / group;
        const bool part = first_group == last_group;  // of one group: it may need some channels only
        LineInputs inputs{};
        inputs.plan = layer.plan;
        inputs.channel_begin = part ? begin % group / taps * line_step : 0;
        inputs.channel_end = part ? ((end - 1) % group / taps + 1) * line_step : in_c;
        inputs.to = call.lane(lane);
        LineSlopes slopes{};
        slopes.plan = layer.plan;
        slopes.to = inputs.to + layer.inputs();
        for (int n = 0; n < call.images; n += 2 * layer.pairs()) {
            const int images = std::min(2 * layer.pairs(), call.images - n);
            inputs.images = line_images(call.site.in, call.in_image(n), images);
            kernels.lay_inputs(inputs);
            for (int g = first_group; g <= last_group; ++g) {
                LineGradient job{};
                job.plan = layer.plan;
                job.pairs = inputs.images.pairs();
                job.in = inputs.to;
                job.channel_begin = inputs.channel_begin;
                job.slopes = slopes.to;
                job.in_c = in_c;
                job.gradient = call.gradients;
                job.gradient_block = std::ptrdiff_t(taps) * in_c * channel_block;
                job.block = 2 * g;
                job.blocks = std::min(2, blocks_of(layer.masters.out_c) - job.block);
                job.unit_begin = std::max(begin - g * group, 0);
                job.unit_end = std::min(end - g * group, group);
                slopes.images = line_images(call.site.out, call.d_out_image(n), images);
                slopes.block_begin = job.block;
                slopes.block_end = job.block + job.blocks;
                slopes.bias_gradient = job.unit_begin == 0 ? call.gradients + layer.masters.weights() : nullptr;
                kernels.lay_slopes(slopes);
                kernels.accumulate(job);
            }
        }
    });
}

/// A lane's scratch for it, where both of a stage's values are bf16.
constexpr std::size_t line_scratch(const PairSite& site, const LineLayer& layer) {
    return site.in_edge || site.out_edge ? 0 : layer.scratch();
}
/// Makes the weight gradient by lines if the values are bf16, the set has the kernels and the layer fits; else false.
template <class In, class Out>
bool made_gradient_by_lines(const PairCall<In, Out>& call, const LineLayer& layer) {
    if constexpr (std::is_same_v<In, Bfloat16> && std::is_same_v<Out, Bfloat16>)
        if (call.on.kernels().lines && layer.fits()) {
            gradient_by_lines(call, layer);
            return true;
        }
    return false;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
