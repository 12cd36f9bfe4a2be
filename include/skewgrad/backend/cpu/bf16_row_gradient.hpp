// The weight gradient of concatenated rows, for convolutions and dense layers on instruction sets with tiles.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// A layer's weight gradient by concatenated rows. An f32 input comes as two parts of each value, with lines for every
/// tap.
struct RowLayer {
    RowPlan plan;
    Packing masters;
    int stride;
    bool parts;
    /// Positions in which sums in registers pay for being fetched and put back.
    static constexpr int worthwhile = 256;
    static constexpr int most_pairs = 16;
    static constexpr int most_sections = 8;

    constexpr bool fits() const { return stride == 1 && (!parts || plan.taps > 1); }
    /// The layer that the lines belong to.
    constexpr RowPlan row_plan() const { return parts ? plan.of_outputs() : plan; }
    constexpr int channels() const { return parts ? plan.taps * plan.taps * masters.in_c : masters.in_c; }
    constexpr int channels_laid() const { return (channels() + row_step - 1) / row_step * row_step; }
    /// Pairs that are laid out together, and the images that they are.
    constexpr int pairs() const { return std::clamp(worthwhile / (plan.out_h() * plan.out_w()), 1, most_pairs); }
    constexpr int images() const { return parts ? pairs() : 2 * pairs(); }
    constexpr RowTaps taps(const float* in, int count) const {
        RowTaps all;
        all.plan = plan;
        all.in = in;
        all.c = masters.in_c;
        all.images = count;
        return all;
    }
    /// Elements of one lane's scratch: all inputs, the gradients of two blocks of output channels, planes of parts.
    constexpr std::size_t inputs() const { return size(channels_laid() * row_plan().inputs(pairs()) * 2); }
    constexpr std::size_t gradients() const { return size(2 * channel_block * row_plan().gradients(pairs()) * 2); }
    constexpr std::size_t planes() const { return parts ? size(taps(nullptr, 0).size_of_planes()) : 0; }
    constexpr std::size_t scratch() const { return fits() ? inputs() + gradients() + planes() : 0; }

    /// Splits of a batch's images, each summed by itself into a gradient of its own. What a thread has laid out
    /// serves all units then; but a gradient more is cleared and added up, so only images that outweigh it are cut.
    /// They depend on the layer alone, and so do bits.
    constexpr int splits() const {
        const int laid = (channels_laid() + 2 * groups() * channel_block) * row_plan().pair_pitch();
        int count = 1;
        while (count < most_sections && size(count * 2) * masters.masters() <= size(4 * laid)) count *= 2;
        return count;
    }
    constexpr std::size_t other_gradients() const { return fits() ? size(splits() - 1) * masters.masters() : 0; }

    /// Units of two blocks of output channels.
    constexpr int unit_taps() const { return row_plan().taps * row_plan().taps; }
    constexpr int group() const { return channels_laid() / row_step * unit_taps(); }
    constexpr int groups() const { return (blocks_of(masters.out_c) + 1) / 2; }

private:
    static constexpr std::size_t size(int elements) { return static_cast<std::size_t>(elements); }
};

inline RowImages row_images(const plan::Layout& l, const Bfloat16* first, int count, bool twice = false) {
    return {first, static_cast<std::ptrdiff_t>(l.size), l.stride_h, l.stride_w, count, twice};
}

/// Channels [begin, end) of some images' inputs as concatenated rows, in a lane's scratch.
template <class In, class Out>
void lay_row_inputs(const PairCall<In, Out>& call, const RowLayer& layer, int n, int images, Share channels,
                    Bfloat16* scratch) {
    if constexpr (std::is_same_v<In, float>) {
        RowTaps job = layer.taps(call.in_image(n), images);
        job.channel_begin = channels.begin;
        job.channel_end = channels.end;
        job.planes = scratch + layer.inputs() + layer.gradients();
        job.to = scratch;
        call.on.kernels().rows->lay_taps(job);
    } else {
        RowInputs job{};
        job.plan = layer.plan;
        job.images = row_images(call.site.in, call.in_image(n), images);
        job.channel_begin = channels.begin;
        job.channel_end = channels.end;
        job.to = scratch;
        call.on.kernels().rows->lay_inputs(job);
    }
}

/// Adds the gradient of some units, summed over the images of some steps in order, to `gradient`.
template <class In>
void gradient_of_units(const PairCall<In, Bfloat16>& call, const RowLayer& layer, Bfloat16* scratch, Share steps,
                       Share units, float* gradient) {
    const RowKernels& kernels = *call.on.kernels().rows;
    const int taps = layer.unit_taps(), group = layer.group();
    const int first_group = units.begin / group, last_group = (units.end - 1) / group;
    const bool part = first_group == last_group;  // of one group: it may need some channels only
    const Share channels{part ? units.begin % group / taps * row_step : 0,
                         part ? ((units.end - 1) % group / taps + 1) * row_step : layer.channels_laid()};
    RowGradients gradients{};
    gradients.plan = layer.row_plan();
    gradients.to = scratch + layer.inputs();
    for (int step = steps.begin; step < steps.end; ++step) {
        const int n = step * layer.images(), images = std::min(layer.images(), call.images - n);
        lay_row_inputs(call, layer, n, images, channels, scratch);
        gradients.images = row_images(call.site.out, call.d_out_image(n), images, layer.parts);
        for (int g = first_group; g <= last_group; ++g) {
            RowGradient job{};
            job.plan = layer.row_plan();
            job.pairs = gradients.images.pairs();
            job.in = scratch;
            job.channel_begin = channels.begin;
            job.gradients = gradients.to;
            job.in_c = layer.channels();
            job.gradient = gradient;
            job.gradient_block = std::ptrdiff_t(taps) * job.in_c * channel_block;
            job.block = 2 * g;
            job.blocks = std::min(2, blocks_of(layer.masters.out_c) - job.block);
            job.unit_begin = std::max(units.begin - g * group, 0);
            job.unit_end = std::min(units.end - g * group, group);
            gradients.block_begin = job.block;
            gradients.block_end = job.block + job.blocks;
            gradients.bias_gradient = job.unit_begin == 0 ? gradient + layer.masters.weights() : nullptr;
            kernels.lay_gradients(gradients);
            kernels.accumulate(job);
        }
    }
}

/// Adds `others` gradients of `size` elements, which lie one behind the other, to `gradient`, in order.
inline void add_gradients(int threads, std::size_t size, const float* from, int others, float* gradient) {
    constexpr int some = channel_block;
    parallel_ranges(threads, static_cast<int>(size) / some, [&](int, int begin, int end) {
        for (int other = 0; other < others; ++other)
            for (int block = begin; block < end; ++block) {
                const float* one = from + static_cast<std::size_t>(other) * size + block * some;
                float* sum = gradient + block * some;
                for (int i = 0; i < some; ++i) sum[i] += one[i];
            }
    });
}

/// Threads share splits of the images, and if they are more than those, the units of each.
template <class In>
void gradient_by_rows(const PairCall<In, Bfloat16>& call, const RowLayer& layer) {
    const int steps = (call.images + layer.images() - 1) / layer.images(), units = layer.groups() * layer.group();
    const int splits = std::min(layer.splits(), steps), threads = call.on.threads();
    const int shares = std::clamp(threads / splits, 1, units);
    const std::size_t size = layer.masters.masters();
    const auto gradient_of = [&](int split) {
        return split == 0 ? call.gradients : call.shared + static_cast<std::size_t>(split - 1) * size;
    };
    parallel_for(threads, splits, [&](int split) {
        if (split > 0) std::fill_n(gradient_of(split), size, 0.0f);
    });
    parallel_ranges(threads, splits * shares, [&](int lane, int begin, int end) {
        for (int task = begin; task < end; ++task) {
            const int split = task / shares;
            gradient_of_units(call, layer, call.lane(lane), share_of(steps, split, splits),
                              share_of(units, task % shares, shares), gradient_of(split));
        }
    });
    if (splits > 1) add_gradients(threads, size, call.shared, splits - 1, call.gradients);
}

/// A lane's scratch for it, where gradients are bf16.
constexpr std::size_t row_scratch(const PairSite& site, const RowLayer& layer) {
    return site.out_boundary ? 0 : layer.scratch();
}
/// Sums that all lanes share for it.
constexpr std::size_t row_shared_scratch(const PairSite& site, const RowLayer& layer) {
    return site.out_boundary ? 0 : layer.other_gradients();
}
/// Makes the weight gradient by concatenated rows if gradients are bf16, the set has the kernels and the layer fits;
/// else false.
template <class In, class Out>
bool made_gradient_by_rows(const PairCall<In, Out>& call, const RowLayer& layer) {
    if constexpr (std::is_same_v<Out, Bfloat16>)
        if (call.on.kernels().rows && layer.fits()) {
            gradient_by_rows(call, layer);
            return true;
        }
    return false;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
