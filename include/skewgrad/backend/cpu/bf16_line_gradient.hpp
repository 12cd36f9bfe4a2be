// The weight gradient of lines, for convolutions and dense layers on instruction sets with tiles.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// A layer's weight gradient by lines. An f32 input comes as two parts of each value, with lines for every tap.
struct LineLayer {
    LinePlan plan;
    Packing masters;
    int stride;
    bool parts;
    /// Positions in which sums in registers pay for being fetched and put back.
    static constexpr int worthwhile = 256;
    static constexpr int most_pairs = 16;

    constexpr bool fits() const { return stride == 1 && (!parts || plan.taps > 1); }
    /// The layer that the lines belong to.
    constexpr LinePlan lines() const { return parts ? plan.of_outputs() : plan; }
    constexpr int channels() const { return parts ? plan.taps * plan.taps * masters.in_c : masters.in_c; }
    constexpr int channels_laid() const { return (channels() + line_step - 1) / line_step * line_step; }
    /// Pairs that are laid out together, and the images that they are.
    constexpr int pairs() const { return std::clamp(worthwhile / (plan.out_h() * plan.out_w()), 1, most_pairs); }
    constexpr int images() const { return parts ? pairs() : 2 * pairs(); }
    constexpr TapLines taps(const float* in, int count) const {
        TapLines all;
        all.plan = plan;
        all.in = in;
        all.c = masters.in_c;
        all.images = count;
        return all;
    }
    /// Elements of one lane's scratch: all inputs, the slopes of two blocks of output channels, planes of parts.
    constexpr std::size_t inputs() const { return size(channels_laid() * lines().inputs(pairs()) * 2); }
    constexpr std::size_t slopes() const { return size(2 * channel_block * lines().slopes(pairs()) * 2); }
    constexpr std::size_t planes() const { return parts ? size(taps(nullptr, 0).size_of_planes()) : 0; }
    constexpr std::size_t scratch() const { return fits() ? inputs() + slopes() + planes() : 0; }

    /// Units of two blocks of output channels.
    constexpr int unit_taps() const { return lines().taps * lines().taps; }
    constexpr int group() const { return channels_laid() / line_step * unit_taps(); }
    constexpr int groups() const { return (blocks_of(masters.out_c) + 1) / 2; }

private:
    static constexpr std::size_t size(int elements) { return static_cast<std::size_t>(elements); }
};

inline LineImages line_images(const host::Layout& l, const Bfloat16* first, int count, bool twice = false) {
    return {first, static_cast<std::ptrdiff_t>(l.size), l.h, l.w, count, twice};
}

/// Channels [begin, end) of some images' inputs as lines, in a lane's scratch.
template <class In, class Out>
void lay_line_inputs(const PairCall<In, Out>& call, const LineLayer& layer, int n, int images, Share channels,
                     Bfloat16* scratch) {
    if constexpr (std::is_same_v<In, float>) {
        TapLines job = layer.taps(call.in_image(n), images);
        job.channel_begin = channels.begin;
        job.channel_end = channels.end;
        job.planes = scratch + layer.inputs() + layer.slopes();
        job.to = scratch;
        call.on.kernels().lines->lay_taps(job);
    } else {
        LineInputs job{};
        job.plan = layer.plan;
        job.images = line_images(call.site.in, call.in_image(n), images);
        job.channel_begin = channels.begin;
        job.channel_end = channels.end;
        job.to = scratch;
        call.on.kernels().lines->lay_inputs(job);
    }
}

/// Threads share the units. Each lays out what its own need, and sums over all images, in order.
template <class In>
void gradient_by_lines(const PairCall<In, Bfloat16>& call, const LineLayer& layer) {
    const LineKernels& kernels = *call.on.kernels().lines;
    const int taps = layer.unit_taps(), group = layer.group();
    parallel_ranges(call.on.threads(), layer.groups() * group, [&](int lane, int begin, int end) {
        const int first_group = begin / group, last_group = (end - 1) / group;
        const bool part = first_group == last_group;  // of one group: it may need some channels only
        const Share channels{part ? begin % group / taps * line_step : 0,
                             part ? ((end - 1) % group / taps + 1) * line_step : layer.channels_laid()};
        LineSlopes slopes{};
        slopes.plan = layer.lines();
        slopes.to = call.lane(lane) + layer.inputs();
        for (int n = 0; n < call.images; n += layer.images()) {
            const int images = std::min(layer.images(), call.images - n);
            lay_line_inputs(call, layer, n, images, channels, call.lane(lane));
            slopes.images = line_images(call.site.out, call.d_out_image(n), images, layer.parts);
            for (int g = first_group; g <= last_group; ++g) {
                LineGradient job{};
                job.plan = layer.lines();
                job.pairs = slopes.images.pairs();
                job.in = call.lane(lane);
                job.channel_begin = channels.begin;
                job.slopes = slopes.to;
                job.in_c = layer.channels();
                job.gradient = call.gradients;
                job.gradient_block = std::ptrdiff_t(taps) * job.in_c * channel_block;
                job.block = 2 * g;
                job.blocks = std::min(2, blocks_of(layer.masters.out_c) - job.block);
                job.unit_begin = std::max(begin - g * group, 0);
                job.unit_end = std::min(end - g * group, group);
                slopes.block_begin = job.block;
                slopes.block_end = job.block + job.blocks;
                slopes.bias_gradient = job.unit_begin == 0 ? call.gradients + layer.masters.weights() : nullptr;
                kernels.lay_slopes(slopes);
                kernels.accumulate(job);
            }
        }
    });
}

/// A lane's scratch for it, where slopes are bf16.
constexpr std::size_t line_scratch(const PairSite& site, const LineLayer& layer) {
    return site.out_edge ? 0 : layer.scratch();
}
/// Makes the weight gradient by lines if slopes are bf16, the set has the kernels and the layer fits; else false.
template <class In, class Out>
bool made_gradient_by_lines(const PairCall<In, Out>& call, const LineLayer& layer) {
    if constexpr (std::is_same_v<Out, Bfloat16>)
        if (call.on.kernels().lines && layer.fits()) {
            gradient_by_lines(call, layer);
            return true;
        }
    return false;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
