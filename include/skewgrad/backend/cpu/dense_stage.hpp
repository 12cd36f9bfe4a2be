// Dense layers on the CPU: a convolution with one tap over a row of pixels, each pixel being one image.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/cpu/packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// The block's images as one row of pixels.
constexpr host::Layout row_of(const host::Layout& l, int images) {
    return {{static_cast<int>(l.size), 1, images}, 1, 0, static_cast<std::ptrdiff_t>(l.size), l.size};
}
constexpr Plane plane_of(const float* at, const host::Layout& row) { return {at, 0, row.w, row.shape.c}; }

// Inputs are taken as they lie, padding between pixels included: the weights of padding are zero.
inline void dense_forward(const Call& call, const Packing& p) {
    host::Layout out = row_of(call.site.out, call.images);
    out.shape.c = p.out_c;
    const Plane in = plane_of(call.in, row_of(call.site.in, call.images));
    const Convolution job = convolution(in, {}, call.masters, call.masters + p.weights(), out, call.out);
    parallel_for(call.on.threads(), blocks_of(p.out_c), [&](int block) {
        Convolution one = job;
        one.out_block_begin = block;
        one.out_block_end = block + 1;
        call.on.kernels().convolve(one);
    });
    for (int n = 0; n < call.images; ++n) call.finish(n);
}

inline void dense_backward_data(const Call& call, const Packing& p) {
    Plane dy = plane_of(call.d_out, row_of(call.site.out, call.images));
    dy.channels = p.out_c;
    const Convolution job = convolution(dy, {}, call.packs, nullptr, row_of(call.site.in, call.images), call.d_in);
    parallel_ranges(call.on.threads(), blocks_of(p.in_c), [&](int, int begin, int end) {
        Convolution mine = job;
        mine.out_block_begin = begin;
        mine.out_block_end = end;
        call.on.kernels().convolve(mine);
    });
}

inline void dense_backward_weights(const Call& call, const Packing& p) {
    host::Layout out = row_of(call.site.out, call.images);
    out.shape.c = p.out_c;
    const Plane in = plane_of(call.in, row_of(call.site.in, call.images));
    parallel_ranges(call.on.threads(), blocks_of(p.out_c), [&](int, int begin, int end) {
        call.on.kernels().accumulate_weight_gradient(
            weight_gradient(in, {}, out, call.d_out, call.gradients, call.gradients + p.weights(), begin, end));
    });
}

/// Weights out x (C H W) and bias between PyTorch's order and packed over the input as it lies.
template <class From, class To>
void reorder_dense(const Packing& p, const host::Layout& in, From from, To to, bool to_packed) {
    std::size_t canonical = 0;
    for (int o = 0; o < p.out_c; ++o)
        for (int c = 0; c < in.shape.c; ++c)
            for (int h = 0; h < in.shape.h; ++h)
                for (int w = 0; w < in.shape.w; ++w, ++canonical) {
                    const std::size_t packed = p.at(o, 0, static_cast<int>(in(c, h, w)));
                    to[to_packed ? packed : canonical] = from[to_packed ? canonical : packed];
                }
    for (std::size_t o = 0; o < static_cast<std::size_t>(p.out_c); ++o)
        to[(to_packed ? p.weights() : canonical) + o] = from[(to_packed ? canonical : p.weights()) + o];
}

}  // namespace cpu

template <int Out, Initial Start>
struct host::Stage<Cpu<f32>, Dense<Out, Start>> {
    using Call = cpu::Call;
    using Site = cpu::Site;
    static constexpr bool can_finish = true;

    static constexpr cpu::Packing packing(const host::Layout& in) { return {static_cast<int>(in.size), Out, 1}; }
    static constexpr std::size_t master_size(const Site& site) { return packing(site.in).masters(); }
    static constexpr std::size_t pack_size(const Site& site) { return packing(site.in).transposed(); }

    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::fill_n(masters, site.master_size, 0.0f);
        cpu::reorder_dense(packing(site.in), site.in, canonical, masters, true);
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        cpu::reorder_dense(packing(site.in), site.in, masters, canonical, false);
    }
    static void repack(Cpu<f32>::Context& on, const Site& site, const float* masters, float* packs) {
        cpu::transpose(on.threads(), packing(site.in), on.kernels(), masters, packs);
    }
    static void forward(const Call& call) { cpu::dense_forward(call, packing(call.site.in)); }
    static void backward_data(const Call& call) { cpu::dense_backward_data(call, packing(call.site.in)); }
    static void backward_weights(const Call& call) { cpu::dense_backward_weights(call, packing(call.site.in)); }
};

}  // namespace SKEWGRAD_NAMESPACE
