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

/// Elements of a value's pixel as pairs are read from it: padded, or, where it is f32, two parts of each channel.
constexpr int pair_pixel(const host::Layout& l, bool edge) { return edge ? 2 * l.shape.c : static_cast<int>(l.w); }

/// How one of a layer's packed copies is read: pairs of a pixel, and zeros that fill up a row of taps. By tiles all of
/// a pixel is read, its padding too, and rows of taps are whole tiles; a single tap's is not filled, because no memory
/// need follow what it reads.
struct PairRun {
    int pairs, fill;

    constexpr PairRun(int some, int pixel, int kernel, bool tiles) : pairs(tiles ? pixel / 2 : some), fill(0) {
        const int over = kernel * pairs % tile_pairs;
        if (tiles && kernel > 1 && over != 0) fill = tile_pairs - over;
    }
};

/// The two packed copies of a layer's weights. An f32 input comes as two parts, so that each weight stands twice.
struct PairPack {
    Packing masters;
    bool twice;
    int in_pixel, out_pixel;    ///< as `pair_pixel`; what is f32 of the output is rounded
    int out_blocks, in_blocks;  ///< of 16 lanes, that are computed

    constexpr PairRun forward_run(bool tiles) const {
        return {twice ? masters.in_c : (masters.in_c + 1) / 2, in_pixel, masters.kernel, tiles};
    }
    constexpr PairRun transposed_run(bool tiles) const {
        return {(masters.out_c + 1) / 2, out_pixel, masters.kernel, tiles};
    }
    /// Room for a copy, for the sets with the larger one.
    constexpr std::size_t forward() const { return size(out_blocks, forward_run(true)); }
    constexpr std::size_t transposed() const { return size(in_blocks, transposed_run(true)); }

private:
    constexpr std::size_t size(int blocks, PairRun run) const {
        return static_cast<std::size_t>(blocks) * static_cast<std::size_t>(masters.kernel) *
               static_cast<std::size_t>(masters.kernel * run.pairs + run.fill) * 2 * channel_block;
    }
};

/// Both copies, threads sharing blocks; the transposed one lies behind the other.
inline void repack(const Cpu<bf16>::Context& on, const PairPack& p, const float* masters, Bfloat16* packs) {
    const auto make = [&](auto* kernel, Bfloat16* to, PairRun run, int blocks) {
        PairPacking job{};
        job.weights = masters;
        job.to = to;
        job.in_c = p.masters.in_c;
        job.out_c = p.masters.out_c;
        job.kernel = p.masters.kernel;
        job.twice = p.twice;
        job.pairs = run.pairs;
        job.row_fill = run.fill;
        parallel_ranges(on.threads(), blocks, [&](int, int begin, int end) {
            PairPacking mine = job;
            mine.block_begin = begin;
            mine.block_end = end;
            kernel(mine);
        });
    };
    const bool tiles = on.kernels().tiles;
    make(on.kernels().pack, packs, p.forward_run(tiles), p.out_blocks);
    make(on.kernels().pack_transposed, packs + p.forward(), p.transposed_run(tiles), p.in_blocks);
}

/// An input as the convolution kernel sees it.
struct PairPlane {
    const Bfloat16* at;
    std::ptrdiff_t row, pixel;
    PairRun run;
};

/// The convolution of `in` into `out`; all of the output's blocks unless narrowed afterwards. `mask` may be null.
template <class Out>
PairConvolution convolution(PairPlane in, Window win, const Bfloat16* weights, const float* bias,
                            const host::Layout& out, Out* to, const Out* mask = nullptr) {
    PairConvolution job{};
    job.in = in.at;
    job.in_row = in.row;
    job.in_pixel = in.pixel;
    job.pairs = in.run.pairs;
    job.row_fill = in.run.fill;
    job.taps_h = job.taps_w = win.kernel;
    job.stride = win.stride;
    job.weights = weights;
    job.bias = bias;
    job.out = to;
    job.mask = mask;
    job.out_f32 = std::is_same_v<Out, float>;
    job.out_row = out.h;
    job.out_pixel = out.w;
    job.out_image = static_cast<std::ptrdiff_t>(out.size);
    job.out_c = out.shape.c;
    job.out_h = out.shape.h;
    job.out_w = out.shape.w;
    job.out_block_end = blocks_of_pixel(out, job.out_f32);
    return job;
}

/// Pixels of bf16 that an image's values take in scratch, where f32 has been rounded.
constexpr host::Layout rounded_layout(Shape s) { return Cpu<bf16>::layout(s, false); }

/// Copies an image, rounded, into the middle of zeros: its pixel (0, 0) goes to (edge, edge), its neighbours `step`
/// apart. Pixels are `to_pixel` apart, more than they fill where other images lie between them. What is not written
/// must be zero, and stays so from image to image.
template <class From>
void place(const From* image, const host::Layout& l, Bfloat16* to, std::ptrdiff_t to_row, std::ptrdiff_t to_pixel,
           int edge, int step) {
    for (int h = 0; h < l.shape.h; ++h) {
        const From* from = image + h * l.h;
        Bfloat16* row = to + (h * step + edge) * to_row + edge * to_pixel;
        if constexpr (std::is_same_v<From, Bfloat16>) {
            const auto pixel_bytes = static_cast<std::size_t>(l.w) * sizeof(Bfloat16);
            if (step * to_pixel == l.w)
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
