// What the bf16 convolution and dense stages share: sizes of packed copies, images as pairs, jobs for the kernels.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_policy.hpp>
#include <skewgrad/backend/cpu/packing.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

using PairSite = host::Site<Cpu<bf16>>;
template <class In, class Out>
using PairCall = host::Call<Cpu<bf16>, In, In, Out>;
using Bf16Call = PairCall<Bfloat16, Bfloat16>;

/// Blocks of 16 lanes that a value's pixel is computed in: padding included where there is any.
constexpr int blocks_of_pixel(const host::Layout& l, bool edge) {
    return edge ? blocks_of(l.shape.c) : static_cast<int>(l.w) / channel_block;
}

/// The two packed copies of a layer's weights. An f32 input comes as two parts, so that each weight stands twice.
struct PairPack {
    Packing masters;
    bool twice;
    int out_blocks, in_blocks;

    constexpr int pairs() const { return twice ? masters.in_c : (masters.in_c + 1) / 2; }
    constexpr int out_pairs() const { return (masters.out_c + 1) / 2; }
    constexpr std::size_t forward() const { return size(out_blocks, pairs()); }
    constexpr std::size_t transposed() const { return size(in_blocks, out_pairs()); }

private:
    constexpr std::size_t size(int blocks, int pairs) const {
        return static_cast<std::size_t>(blocks) * static_cast<std::size_t>(masters.kernel * masters.kernel) *
               static_cast<std::size_t>(pairs) * 2 * channel_block;
    }
};

/// Both copies, threads sharing blocks; the transposed one lies behind the other.
inline void repack(const Cpu<bf16>::Context& on, const PairPack& p, const float* masters, Bfloat16* packs) {
    PairPacking job{};
    job.weights = masters;
    job.in_c = p.masters.in_c;
    job.out_c = p.masters.out_c;
    job.taps = p.masters.kernel * p.masters.kernel;
    job.twice = p.twice;
    parallel_ranges(on.threads(), p.out_blocks, [&](int, int begin, int end) {
        PairPacking mine = job;
        mine.to = packs;
        mine.block_begin = begin;
        mine.block_end = end;
        on.kernels().pack(mine);
    });
    parallel_ranges(on.threads(), p.in_blocks, [&](int, int begin, int end) {
        PairPacking mine = job;
        mine.to = packs + p.forward();
        mine.block_begin = begin;
        mine.block_end = end;
        on.kernels().pack_transposed(mine);
    });
}

/// An input as the convolution kernel sees it.
struct PairPlane {
    const Bfloat16* at;
    std::ptrdiff_t row, pixel;
    int pairs;
};

/// The convolution of `in` into `out`; all of the output's blocks unless narrowed afterwards. `mask` may be null.
template <class Out>
PairConvolution convolution(PairPlane in, Window win, const Bfloat16* weights, const float* bias,
                            const host::Layout& out, Out* to, const Out* mask = nullptr) {
    PairConvolution job{};
    job.in = in.at;
    job.in_row = in.row;
    job.in_pixel = in.pixel;
    job.pairs = in.pairs;
    job.taps_h = job.taps_w = win.kernel;
    job.stride = win.stride;
    job.weights = weights;
    job.bias = bias;
    job.out = to;
    job.mask = mask;
    job.out_f32 = std::is_same_v<Out, float>;
    job.out_row = out.h;
    job.out_pixel = out.w;
    job.out_c = out.shape.c;
    job.out_h = out.shape.h;
    job.out_w = out.shape.w;
    job.out_block_end = blocks_of_pixel(out, job.out_f32);
    return job;
}

/// Pixels of bf16 that an image's values take in scratch, where f32 has been rounded.
constexpr host::Layout rounded_layout(Shape s) { return Cpu<bf16>::layout(s, false); }

/// Copies an image, rounded, into the middle of zeros: its pixel (0, 0) goes to (edge, edge), its neighbours `step`
/// apart. What is not written must be zero, and stays so from image to image.
template <class From>
void place(const From* image, const host::Layout& l, Bfloat16* to, std::ptrdiff_t to_row, std::ptrdiff_t to_pixel,
           int edge, int step) {
    for (int h = 0; h < l.shape.h; ++h) {
        const From* from = image + h * l.h;
        Bfloat16* row = to + (h * step + edge) * to_row + edge * to_pixel;
        if constexpr (std::is_same_v<From, Bfloat16>) {
            const auto pixel_bytes = static_cast<std::size_t>(to_pixel) * sizeof(Bfloat16);  // the same pixel in both
            if (step == 1)
                std::memcpy(row, from, static_cast<std::size_t>(l.shape.w) * pixel_bytes);
            else
                for (int w = 0; w < l.shape.w; ++w) std::memcpy(row + w * step * to_pixel, from + w * l.w, pixel_bytes);
        } else {
            for (int w = 0; w < l.shape.w; ++w)
                for (int c = 0; c < l.shape.c; ++c) row[w * step * to_pixel + c] = Bfloat16(from[w * l.w + c]);
        }
    }
}

/// The weight gradient of a convolution with input panels `in`; all units unless narrowed afterwards.
inline PairWeightGradient weight_gradient(const Bfloat16* in, std::ptrdiff_t panel, std::ptrdiff_t row, int in_c,
                                          Window win, const host::Layout& out, const Bfloat16* first,
                                          const Bfloat16* second, float* gradient, std::size_t gradient_block,
                                          float* bias_gradient) {
    PairWeightGradient job{};
    job.in = in;
    job.in_panel = panel;
    job.in_row = row;
    job.in_c = in_c;
    job.taps_h = job.taps_w = win.kernel;
    job.stride = win.stride;
    job.first = first;
    job.second = second;
    job.out_row = out.h;
    job.out_pixel = out.w;
    job.out_c = out.shape.c;
    job.out_h = out.shape.h;
    job.out_w = out.shape.w;
    job.gradient = gradient;
    job.gradient_block = static_cast<std::ptrdiff_t>(gradient_block);
    job.bias_gradient = bias_gradient;
    job.unit_end = job.units();
    return job;
}

/// One row of f32 pixels as pairs of parts, cut into panels; channels beyond the last are left alone.
inline void split_into_panels(const float* from, int pixels, int channels, Bfloat16* to, std::ptrdiff_t to_panel) {
    for (int x = 0; x < pixels; ++x)
        for (int c = 0; c < channels; ++c) {
            const float value = *from++;
            const Bfloat16 first(value);
            Bfloat16* pair = to + c / panel_channels * to_panel + (x * panel_channels + c % panel_channels) * 2;
            pair[0] = first;
            pair[1] = Bfloat16(value - static_cast<float>(first));
        }
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
