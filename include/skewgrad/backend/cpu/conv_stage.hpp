// Convolution on the CPU: images with a border of zeros in a lane's scratch, then the kernels.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>

#include <skewgrad/backend/cpu/packing.hpp>
#include <skewgrad/backend/cpu/winograd.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// Copies an image into the middle of zeros: its pixel (0, 0) goes to (edge, edge), its neighbours `step` apart.
/// What is not written must be zero, and stays so from image to image.
inline void place(const float* image, const host::Layout& l, float* to, std::ptrdiff_t to_row, int edge, int step) {
    const std::ptrdiff_t pixel = l.w;
    const auto pixel_bytes = static_cast<std::size_t>(pixel) * sizeof(float);
    for (int h = 0; h < l.shape.h; ++h) {
        const float* from = image + h * l.h;
        float* row = to + (h * step + edge) * to_row + edge * pixel;
        if (step == 1)
            std::memcpy(row, from, static_cast<std::size_t>(l.shape.w) * pixel_bytes);
        else
            for (int w = 0; w < l.shape.w; ++w) std::memcpy(row + w * step * pixel, from + w * pixel, pixel_bytes);
    }
}

/// Floats of an image with `border` more rows and columns in all.
constexpr std::size_t bordered(const host::Layout& l, int border) {
    return static_cast<std::size_t>(l.shape.h + border) * static_cast<std::size_t>(l.shape.w + border) *
           static_cast<std::size_t>(l.w);
}

/// Input of the forward and weight-gradient passes: the image itself, or a bordered copy in scratch.
class BorderedInput {
public:
    BorderedInput(const Call& call, Window win, int lane) : call_(call), win_(win), scratch_(call.lane(lane)) {
        if (win.padding > 0) std::fill_n(scratch_, bordered(call.site.in, 2 * win.padding), 0.0f);
    }
    Plane of(int n) const {
        const host::Layout& in = call_.site.in;
        if (win_.padding == 0) return {call_.in_image(n), in.h, in.w, in.shape.c};
        const std::ptrdiff_t row = (in.shape.w + 2 * win_.padding) * in.w;
        place(call_.in_image(n), in, scratch_, row, win_.padding, 1);
        return {scratch_, row, in.w, in.shape.c};
    }

private:
    const Call& call_;
    Window win_;
    float* scratch_;
};

inline void convolve_forward(const Call& call, Window win, const Packing& p) {
    const host::Layout& out = call.site.out;
    const float* bias = call.masters + p.weights();
    const int threads = call.on.threads(), blocks = blocks_of(out.shape.c);
    // Fewer images than threads: threads share an image's blocks of output channels instead. Bits do not depend on it.
    const int splits = call.images < threads ? std::min(threads, blocks) : 1;
    parallel_ranges(threads, call.images * splits, [&](int lane, int begin, int end) {
        const BorderedInput input(call, win, lane);
        for (int task = begin; task < end; ++task) {
            const int n = task / splits;
            const Share share = share_of(blocks, task % splits, splits);
            Convolution job = convolution(input.of(n), win, call.masters, bias, out, call.out_image(n));
            job.out_block_begin = share.begin;
            job.out_block_end = share.end;
            call.on.kernels().convolve(job);
            if (splits == 1) call.finish(n);
        }
    });
    if (splits > 1)
        for (int n = 0; n < call.images; ++n) call.finish(n);
}

/// The slope of the rectifier that wrote x, applied to x's gradient.
inline void mask(const float* x, float* dx, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) dx[i] = x[i] > 0 ? dx[i] : 0.0f;
}

/// The gradient at the input is a convolution of the output's gradient, spread out by the stride and bordered so that
/// every input pixel meets all taps, with the transposed weights.
inline void convolve_backward_data(const Call& call, Window win) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    const int border = win.kernel - 1;
    const std::ptrdiff_t row = (in.shape.w + border) * out.w;
    const std::size_t size = static_cast<std::size_t>(in.shape.h + border) * static_cast<std::size_t>(row);
    parallel_ranges(call.on.threads(), call.images, [&](int lane, int begin, int end) {
        float* spread = call.lane(lane);
        std::fill_n(spread, size, 0.0f);
        for (int n = begin; n < end; ++n) {
            place(call.d_out_image(n), out, spread, row, border - win.padding, win.stride);
            call.on.kernels().convolve(convolution({spread, row, out.w, out.shape.c}, {win.kernel}, call.packs, nullptr,
                                                   in, call.d_in_image(n)));
            if (call.site.masks_in) mask(call.in_image(n), call.d_in_image(n), in.size);
        }
    });
}

/// Threads share the weights; each sums its own over all images, in order.
inline void convolve_backward_weights(const Call& call, Window win, const Packing& p) {
    const int units = blocks_of(p.out_c) * win.kernel * win.kernel;
    parallel_ranges(call.on.threads(), units, [&](int lane, int begin, int end) {
        const BorderedInput input(call, win, lane);
        for (int n = 0; n < call.images; ++n)
            call.on.kernels().accumulate_weight_gradient(weight_gradient(input.of(n), win, call.site.out,
                                                                         call.d_out_image(n), call.gradients,
                                                                         call.gradients + p.weights(), begin, end));
    });
}

/// Scratch of one lane: the larger of the bordered input and the spread output gradient.
constexpr std::size_t convolution_scratch(const host::Layout& in, const host::Layout& out, Window win) {
    const std::size_t spread = static_cast<std::size_t>(in.shape.h + win.kernel - 1) *
                               static_cast<std::size_t>(in.shape.w + win.kernel - 1) * static_cast<std::size_t>(out.w);
    return std::max(bordered(in, 2 * win.padding), spread);
}

/// Weights out x in x K x K and bias between PyTorch's order and packed; `to_packed` says which way.
template <class From, class To>
void reorder_convolution(const Packing& p, From from, To to, bool to_packed) {
    std::size_t canonical = 0;
    for (int o = 0; o < p.out_c; ++o)
        for (int i = 0; i < p.in_c; ++i)
            for (int tap = 0; tap < p.kernel * p.kernel; ++tap, ++canonical) {
                const std::size_t packed = p.at(o, tap, i);
                to[to_packed ? packed : canonical] = from[to_packed ? canonical : packed];
            }
    for (std::size_t o = 0; o < static_cast<std::size_t>(p.out_c); ++o)
        to[(to_packed ? p.weights() : canonical) + o] = from[(to_packed ? canonical : p.weights()) + o];
}

}  // namespace cpu

template <int Out, int Kernel, int Stride, Padding Pad, Initial Start>
struct host::Stage<Cpu<f32>, Conv<Out, Kernel, Stride, Pad, Start>> {
    using Layer = Conv<Out, Kernel, Stride, Pad, Start>;
    using Call = cpu::Call;
    using Site = cpu::Site;
    static constexpr cpu::Window window{Kernel, Stride, Layer::padding};
    static constexpr bool can_finish = true;
    static constexpr bool masks_input(const Site&) { return true; }

    static constexpr cpu::Packing packing(Shape in) { return {in.c, Out, Kernel}; }
    static constexpr std::size_t master_size(const Site& site) { return packing(site.in.shape).masters(); }
    // Packed copies: transposed weights, then for Winograd's method transformed ones and their transposed.
    static constexpr std::size_t pack_size(const Site& site) {
        const Shape in = site.in.shape;
        return packing(in).transposed() + winograd(in).weights() + winograd_back(in).weights();
    }
    static constexpr std::size_t lane_scratch(const Site& site) {
        const Shape in = site.in.shape;
        return std::max({cpu::convolution_scratch(site.in, site.out, window), winograd(in).lane_scratch(),
                         winograd_back(in).lane_scratch(), winograd(in).in_large_blocks().lane_scratch()});
    }
    static constexpr std::size_t shared_scratch(const Site& site) { return winograd(site.in.shape).weights(); }

    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::fill_n(masters, site.master_size, 0.0f);
        cpu::reorder_convolution(packing(site.in.shape), canonical, masters, true);
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        cpu::reorder_convolution(packing(site.in.shape), masters, canonical, false);
    }
    static void repack(Cpu<f32>::Context& on, const Site& site, const float* masters, float* packs) {
        const cpu::Packing p = packing(site.in.shape);
        cpu::transpose(on.threads(), p, on.kernels(), masters, packs);
        float* transformed = packs + p.transposed();
        if (by_winograd(on, site)) cpu::winograd_transform(on.threads(), p, on.kernels(), masters, transformed);
        if (back_by_winograd(on, site))
            cpu::winograd_transform(on.threads(), {p.out_c, p.in_c, Kernel}, on.kernels(), packs,
                                    transformed + winograd(site.in.shape).weights());
    }
    static void forward(const Call& call) {
        const Shape in = call.site.in.shape;
        if (by_winograd(call.on, call.site))
            cpu::winograd_forward(call, winograd(in), call.packs + packing(in).transposed());
        else
            cpu::convolve_forward(call, window, packing(in));
    }
    static void backward_data(const Call& call) {
        const Shape in = call.site.in.shape;
        if (back_by_winograd(call.on, call.site))
            cpu::winograd_backward_data(call, winograd_back(in),
                                        call.packs + packing(in).transposed() + winograd(in).weights());
        else
            cpu::convolve_backward_data(call, window);
    }
    static void backward_weights(const Call& call) {
        const Shape in = call.site.in.shape;
        if (by_winograd(call.on, call.site))
            cpu::winograd_backward_weights(call, winograd(in).in_large_blocks());
        else
            cpu::convolve_backward_weights(call, window, packing(in));
    }

private:
    static constexpr bool has_tiles = Kernel == 3 && Stride == 1 && Layer::padding <= 2;
    static constexpr cpu::WinogradShape winograd(Shape in) {
        if constexpr (has_tiles && Out >= cpu::channel_block)
            return cpu::winograd_shape(in, Layer::infer(in), Layer::padding);
        else
            return {};
    }
    /// Of the gradient at the input: channels exchanged, and the border that every tap needs.
    static constexpr cpu::WinogradShape winograd_back(Shape in) {
        if constexpr (has_tiles)
            return cpu::winograd_shape(Layer::infer(in), in, Kernel - 1 - Layer::padding);
        else
            return {};
    }
    // An image of few channels is stored without the padding that the transforms count on where they read.
    static bool by_winograd(const Cpu<f32>::Context& on, const Site& site) {
        return on.convolutions() == cpu::Convolutions::fastest && winograd(site.in.shape).tiles_w > 0 &&
               site.in.w % cpu::channel_block == 0;
    }
    static bool back_by_winograd(const Cpu<f32>::Context& on, const Site& site) {
        return on.convolutions() == cpu::Convolutions::fastest && winograd_back(site.in.shape).tiles_w > 0;
    }
};

}  // namespace SKEWGRAD_NAMESPACE
