// Dense layers in bf16: a convolution with one tap over a row of pixels, each pixel being one image.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_line_gradient.hpp>
#include <skewgrad/backend/cpu/bf16_packing.hpp>
#include <skewgrad/backend/cpu/dense_stage.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// Images whose f32 values are turned into bf16 together, in scratch.
inline constexpr int converted_images = 16;
/// Pairs of images, and panels of 8 inputs of them, that the weight gradient takes together.
inline constexpr int paired_images = 128, input_panels = 8;

// Inputs are taken as they lie, padding between pixels included: the weights of padding are zero.
template <class In, class Out>
void dense_forward(const PairCall<In, Out>& call, const PairPack& p) {
    const bool rectify = call.site.rectifies;
    const float* bias = call.masters + p.masters.weights();
    const std::size_t size = call.site.in.size;
    // f32 images are split where they are needed, some at a time.
    constexpr bool parts = std::is_same_v<In, float>;
    const int together = parts ? converted_images : std::max(1, call.images);
    parallel_ranges(call.on.threads(), (p.out_blocks + 1) / 2, [&](int lane, int begin, int end) {
        for (int first = 0; first < call.images; first += together) {
            const int images = std::min(together, call.images - first);
            host::Layout out = row_of(call.site.out, images);
            out.shape.c = p.masters.out_c;
            PairPlane in{nullptr, 0, p.in_pixel, p.forward_run(call.on.kernels().tiles)};
            if constexpr (parts) {
                in.at = call.lane(lane);
                call.on.kernels().split(call.in_image(first), static_cast<std::ptrdiff_t>(size) * images,
                                        call.lane(lane));
            } else {
                in.at = call.in_image(first);
            }
            PairConvolution job = convolution(in, {}, call.packs, bias, out, call.out_image(first));
            job.rectify = rectify;
            job.out_block_begin = 2 * begin;
            job.out_block_end = std::min(2 * end, p.out_blocks);
            call.on.kernels().convolve(job);
        }
    });
    if (!rectify)
        for (int n = 0; n < call.images; ++n) call.finish(n);
}

template <class In, class Out>
void dense_backward_data(const PairCall<In, Out>& call, const PairPack& p) {
    constexpr bool converted = std::is_same_v<Out, float>;
    const host::Layout dy = rounded_layout(call.site.out.shape);
    const int together = converted ? converted_images : std::max(1, call.images);
    parallel_ranges(call.on.threads(), (p.in_blocks + 1) / 2, [&](int lane, int begin, int end) {
        if constexpr (converted) std::fill_n(call.lane(lane), converted_images * dy.size, Bfloat16{});
        for (int first = 0; first < call.images; first += together) {
            const int images = std::min(together, call.images - first);
            PairPlane from{nullptr, 0, p.out_pixel, p.transposed_run(call.on.kernels().tiles)};
            if constexpr (converted) {
                for (int n = 0; n < images; ++n)
                    place(call.d_out_image(first + n), call.site.out,
                          call.lane(lane) + static_cast<std::size_t>(n) * dy.size, dy.h, dy.w, 0, 1);
                from.at = call.lane(lane);
            } else {
                from.at = call.d_out_image(first);
            }
            PairConvolution job =
                convolution(from, {}, call.packs + p.forward(), nullptr, row_of(call.site.in, images),
                            call.d_in_image(first), call.site.masks_in ? call.in_image(first) : nullptr);
            job.out_block_begin = 2 * begin;
            job.out_block_end = std::min(2 * end, p.in_blocks);
            call.on.kernels().convolve(job);
        }
    });
}

/// Threads share the inputs, 64 at a time; each sums its own weights over all images, in order. A pixel is two images,
/// or the two parts of one.
template <class In, class Out>
void dense_backward_weights(const PairCall<In, Out>& call, const PairPack& p) {
    constexpr bool parts = std::is_same_v<In, float>, converted = std::is_same_v<Out, float>;
    constexpr int images_a_pixel = parts ? 1 : 2, channels = input_panels * panel_channels;
    constexpr std::ptrdiff_t panel = paired_images * 2 * panel_channels;
    const auto size = static_cast<std::ptrdiff_t>(call.site.in.size);
    const int in_c = p.masters.in_c;
    const host::Layout dy = rounded_layout(call.site.out.shape);
    const auto dy_image = static_cast<std::ptrdiff_t>(dy.size);
    parallel_ranges(call.on.threads(), (in_c + channels - 1) / channels, [&](int lane, int begin, int end) {
        Bfloat16* panels = call.lane(lane);
        Bfloat16* rounded = panels + input_panels * panel;
        if constexpr (parts) std::fill_n(panels, input_panels * panel, Bfloat16{});
        if constexpr (converted) std::fill_n(rounded, paired_images * images_a_pixel * dy_image, Bfloat16{});
        // `pixels` pixels from image `first` on, of which the last one's second image may be missing.
        const auto add = [&](int chunk, int first, int pixels, bool whole) {
            const int from = chunk * channels, count = std::min(channels, in_c - from);
            const auto* in = call.in_image(first) + from;
            const int here = panels_of(count);
            if constexpr (parts) {
                for (int x = 0; x < pixels; ++x)
                    split_into_panels(in + x * size, 1, count, panels + x * 2 * panel_channels, panel);
            } else {
                PairRows rows{};
                rows.first = in;
                rows.second = whole ? in + size : nullptr;
                rows.pixel = 2 * size;
                rows.pixels = pixels;
                rows.panels = here;
                rows.to = panels;
                rows.to_panel = panel;
                rows.to_pixel = 2 * panel_channels;
                call.on.kernels().pair_rows(rows);
            }
            host::Layout out = row_of(dy, pixels);
            out.shape.c = p.masters.out_c;
            out.w *= images_a_pixel;
            const Bfloat16* gradients = nullptr;
            if constexpr (converted)
                gradients = rounded;
            else
                gradients = call.d_out_image(first);
            const Bfloat16* second = parts ? gradients : whole ? gradients + dy_image : nullptr;
            call.on.kernels().accumulate_weight_gradient(
                weight_gradient(panels, panel, 0, count, {}, out, gradients, second,
                                call.gradients + from * channel_block, static_cast<std::size_t>(in_c) * channel_block,
                                chunk == 0 ? call.gradients + p.masters.weights() : nullptr));
        };
        for (int first = 0; first < call.images; first += paired_images * images_a_pixel) {
            const int images = std::min(paired_images * images_a_pixel, call.images - first);
            if constexpr (converted)
                for (int n = 0; n < images; ++n)
                    place(call.d_out_image(first + n), call.site.out, rounded + n * dy_image, dy.h, dy.w, 0, 1);
            for (int chunk = begin; chunk < end; ++chunk) {
                if (images / images_a_pixel > 0) add(chunk, first, images / images_a_pixel, true);
            }
            if (images % images_a_pixel != 0) {
                if constexpr (converted)
                    place(call.d_out_image(first + images - 1), call.site.out, rounded, dy.h, dy.w, 0, 1);
                for (int chunk = begin; chunk < end; ++chunk) add(chunk, first + images - 1, 1, false);
            }
        }
    });
}

constexpr std::size_t dense_scratch(const PairSite& site) {
    const std::size_t dy = rounded_layout(site.out.shape).size;
    const std::size_t forward = site.in_edge ? 2 * converted_images * site.in.size : 0;
    const std::size_t back = site.out_edge ? converted_images * dy : 0;
    const std::size_t weights =
        input_panels * paired_images * 2 * panel_channels + (site.out_edge ? 2 * paired_images * dy : 0);
    return std::max({forward, back, weights});
}

}  // namespace cpu

template <int Out, Initial Start>
struct host::Stage<Cpu<bf16>, Dense<Out, Start>> {
    using Site = cpu::PairSite;
    static constexpr bool can_finish = true, rounds = true;

    static constexpr cpu::PairPack pack(const Site& site) {
        const int size = static_cast<int>(site.in.size);
        return {{size, Out, 1},
                site.in_edge,
                site.in_edge ? 2 * size : size,
                static_cast<int>(cpu::rounded_layout(site.out.shape).w),
                cpu::blocks_of_pixel(site.out, site.out_edge),
                cpu::blocks_of(size)};
    }
    static constexpr cpu::LineLayer lines(const Site& site) { return {{}, pack(site).masters, 1, site.in_edge}; }
    static constexpr bool masks_input(const Site&) { return true; }
    static constexpr std::size_t master_size(const Site& site) { return pack(site).masters.masters(); }
    static constexpr std::size_t pack_size(const Site& site) { return pack(site).forward() + pack(site).transposed(); }
    static constexpr std::size_t lane_scratch(const Site& site) {
        return std::max(cpu::dense_scratch(site), cpu::line_scratch(site, lines(site)));
    }
    static constexpr std::size_t shared_scratch(const Site& site) {
        return cpu::line_shared_scratch(site, lines(site));
    }

    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::fill_n(masters, site.master_size, 0.0f);
        cpu::reorder_dense(pack(site).masters, site.in, canonical, masters, true);
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        cpu::reorder_dense(pack(site).masters, site.in, masters, canonical, false);
    }
    static void repack(Cpu<bf16>::Context& on, const Site& site, const float* masters, Bfloat16* packs) {
        cpu::repack(on, pack(site), masters, packs);
    }
    template <class I, class O>
    static void forward(const cpu::PairCall<I, O>& call) {
        cpu::dense_forward(call, pack(call.site));
    }
    template <class I, class O>
    static void backward_data(const cpu::PairCall<I, O>& call) {
        cpu::dense_backward_data(call, pack(call.site));
    }
    template <class I, class O>
    static void backward_weights(const cpu::PairCall<I, O>& call) {
        if (!cpu::made_gradient_by_lines(call, lines(call.site))) cpu::dense_backward_weights(call, pack(call.site));
    }
};

}  // namespace SKEWGRAD_NAMESPACE
