// Sizes and jobs that the CPU's convolution and dense stages share, and the way between PyTorch's order and packed.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/cpu/policy.hpp>
#include <skewgrad/backend/host/stages.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace cpu {

using Call = host::Call<Cpu<f32>>;
using Site = host::Site<Cpu<f32>>;

/// A square window; `kernel` taps a side.
struct Window {
    int kernel = 1, stride = 1, padding = 0;
};

/// Masters of a layer with weights: packed weights [out blocks][taps][in_c][16], then bias [out blocks][16].
/// Its gradients and optimiser slots have the same order; a transposed copy serves the backward-data pass.
struct Packing {
    int in_c, out_c, kernel;

    constexpr std::size_t weights() const { return packed(in_c, out_c); }
    constexpr std::size_t transposed() const { return packed(out_c, in_c); }
    constexpr std::size_t masters() const {
        return weights() + static_cast<std::size_t>(blocks_of(out_c)) * channel_block;
    }
    /// Offset of the weight at (output, tap row, tap column, input); `tap` = row * kernel + column.
    constexpr std::size_t at(int o, int tap, int i) const {
        const int block = o / channel_block, lane = o % channel_block;
        return (static_cast<std::size_t>(block * kernel * kernel + tap) * static_cast<std::size_t>(in_c) +
                static_cast<std::size_t>(i)) *
                   channel_block +
               static_cast<std::size_t>(lane);
    }

private:
    constexpr std::size_t packed(int from, int to) const {
        return static_cast<std::size_t>(blocks_of(to)) * static_cast<std::size_t>(kernel * kernel) *
               static_cast<std::size_t>(from) * channel_block;
    }
};

/// The transposed copy of all weights, threads sharing its blocks of input channels.
inline void transpose(int threads, const Packing& p, const KernelTable& kernels, const float* masters, float* packs) {
    parallel_ranges(threads, blocks_of(p.in_c), [&](int, int begin, int end) {
        WeightTranspose job{};
        job.weights = masters;
        job.transposed = packs;
        job.in_c = p.in_c;
        job.out_c = p.out_c;
        job.taps_h = job.taps_w = p.kernel;
        job.in_block_begin = begin;
        job.in_block_end = end;
        kernels.transpose_weights(job);
    });
}

/// An input as kernels see it: where it starts, floats from row to row and pixel to pixel, channels.
struct Plane {
    const float* at;
    std::ptrdiff_t row, pixel;
    int channels;
};

/// The convolution of `in` into `out` with packed weights; all of the output's blocks unless narrowed afterwards.
inline Convolution convolution(Plane in, Window win, const float* weights, const float* bias, const host::Layout& out,
                               float* to) {
    Convolution job{};
    job.in = in.at;
    job.in_row = in.row;
    job.in_pixel = in.pixel;
    job.in_c = in.channels;
    job.taps_h = job.taps_w = win.kernel;
    job.stride = win.stride;
    job.weights = weights;
    job.bias = bias;
    job.out = to;
    job.out_row = out.h;
    job.out_pixel = out.w;
    job.out_c = out.shape.c;
    job.out_h = out.shape.h;
    job.out_w = out.shape.w;
    job.out_block_end = blocks_of(out.shape.c);
    return job;
}

/// The weight gradient of that convolution for the output's gradient `dy`, units [begin, end).
inline WeightGradient weight_gradient(Plane in, Window win, const host::Layout& out, const float* dy, float* gradient,
                                      float* bias_gradient, int begin, int end) {
    WeightGradient job{};
    job.in = in.at;
    job.in_row = in.row;
    job.in_pixel = in.pixel;
    job.in_c = in.channels;
    job.taps_h = job.taps_w = win.kernel;
    job.stride = win.stride;
    job.out_gradient = dy;
    job.out_row = out.h;
    job.out_pixel = out.w;
    job.out_c = out.shape.c;
    job.out_h = out.shape.h;
    job.out_w = out.shape.w;
    job.gradient = gradient;
    job.bias_gradient = bias_gradient;
    job.unit_begin = begin;
    job.unit_end = end;
    return job;
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
