// Convolution in bf16: images with a border of zeros in a lane's scratch, as pairs of channels, images or parts.
#pragma once
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <type_traits>

#include <skewgrad/backend/cpu/bf16_line_gradient.hpp>
#include <skewgrad/backend/cpu/bf16_packing.hpp>
#include <skewgrad/backend/cpu/conv_stage.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// Images that tiles take together, so that pixels of theirs which lie side by side fill two: where rows of the
/// output are short, pixels whole tiles of pairs, and scratch stays small.
constexpr int interleaved_images(const host::Layout& in, const host::Layout& out, Window win) {
    if (win.stride != 1 || in.w % (2 * tile_pairs) != 0) return 1;
    const int bordered = (out.shape.h + win.kernel - 1) * (out.shape.w + win.kernel - 1);
    for (const int pixels : {2 * tile_pixels, tile_pixels})
        if (const int images = pixels / std::gcd(pixels, out.shape.w); images <= 16 && images * bordered <= 4096)
            return images;
    return 1;
}

/// How a batch is cut for the kernels: into groups of images, and an image's output blocks where images are too few.
struct ImageGroups {
    int images, together, splits;

    ImageGroups(int images_, int together_, int threads, int most_splits)
        : images(images_),
          together(images_ < together_ ? 1 : together_),
          splits(count() < threads ? std::min(threads, most_splits) : 1) {}
    int count() const { return (images + together - 1) / together; }
    int size(int group) const { return std::min(together, images - group * together); }
};

/// Elements behind a bordered image that the last row of taps may read, filled up as it is.
inline constexpr int read_beyond = 2 * tile_pairs;

/// Input of the forward pass: bf16 as it is, or bordered in scratch; f32 in two parts, which make a pair.
template <class In, class Out>
class PairInput {
public:
    PairInput(const PairCall<In, Out>& call, Window win, const PairPack& p, int together, int lane)
        : call_(call),
          run_(p.forward_run(call.on.kernels().tiles)),
          edge_(win.padding),
          together_(together),
          pixel_(p.in_pixel),
          row_((call.site.in.shape.w + 2 * edge_) * together * pixel_),
          scratch_(call.lane(lane)) {
        if (!in_place()) std::fill_n(scratch_, (call.site.in.shape.h + 2 * edge_) * row_ + read_beyond, Bfloat16{});
    }
    /// Of `count` images from image n on, at most as many as lie together.
    PairPlane of(int n, int count) const {
        const host::Layout& in = call_.site.in;
        if constexpr (std::is_same_v<In, float>) {
            for (int h = 0; h < in.shape.h; ++h)
                call_.on.kernels().split(call_.in_image(n) + h * in.h, in.h,
                                         scratch_ + (h + edge_) * row_ + edge_ * pixel_);
        } else {
            if (in_place()) return {call_.in_image(n), in.h, in.w, run_};
            for (int i = 0; i < count; ++i)
                place(call_.in_image(n + i), in, scratch_ + i * pixel_, row_, pixel_ * together_, edge_, 1);
        }
        return {scratch_, row_, pixel_, run_};
    }

private:
    bool in_place() const { return !std::is_same_v<In, float> && edge_ == 0 && together_ == 1 && run_.fill == 0; }

    const PairCall<In, Out>& call_;
    PairRun run_;
    int edge_, together_;
    std::ptrdiff_t pixel_, row_;
    Bfloat16* scratch_;
};

template <class In, class Out>
void convolve_forward(const PairCall<In, Out>& call, Window win, const PairPack& p) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    const float* bias = call.masters + p.masters.weights();
    const bool rectify = call.site.rectifies, interleaves = call.on.kernels().tiles && !std::is_same_v<In, float>;
    const int threads = call.on.threads(), pairs_of_blocks = (p.out_blocks + 1) / 2;
    // Fewer groups than threads: threads share output channels instead. Bits do not depend on it.
    const ImageGroups groups(call.images, interleaves ? interleaved_images(in, out, win) : 1, threads, pairs_of_blocks);
    parallel_ranges(threads, groups.count() * groups.splits, [&](int lane, int begin, int end) {
        const PairInput input(call, win, p, groups.together, lane);
        for (int task = begin; task < end; ++task) {
            const int group = task / groups.splits, n = group * groups.together, count = groups.size(group);
            const Share share = share_of(pairs_of_blocks, task % groups.splits, groups.splits);
            PairConvolution job = convolution(input.of(n, count), win, call.packs, bias, out, call.out_image(n));
            job.images = groups.together;
            job.stored_images = count;
            job.rectify = rectify;
            job.zero_rows = {win.padding, win.padding + in.shape.h};
            job.out_block_begin = 2 * share.begin;
            job.out_block_end = std::min(2 * share.end, p.out_blocks);
            call.on.kernels().convolve(job);
            if (groups.splits == 1 && !rectify)
                for (int i = 0; i < count; ++i) call.finish(n + i);
        }
    });
    if (groups.splits > 1 && !rectify)
        for (int n = 0; n < call.images; ++n) call.finish(n);
}

/// The gradient at the input is a convolution of the output's gradient, spread out by the stride and bordered so that
/// every input pixel meets all taps, with the transposed weights.
template <class In, class Out>
void convolve_backward_data(const PairCall<In, Out>& call, Window win, const PairPack& p) {
    const host::Layout &in = call.site.in, &out = call.site.out, rounded = rounded_layout(out.shape);
    const int border = win.kernel - 1, edge = border - win.padding;
    const Window taps{win.kernel};
    const ImageGroups groups(call.images, call.on.kernels().tiles ? interleaved_images(rounded, in, taps) : 1, 1, 1);
    const PairRun run = p.transposed_run(call.on.kernels().tiles);
    const std::ptrdiff_t pixel = rounded.w, row = (in.shape.w + border) * groups.together * pixel;
    parallel_ranges(call.on.threads(), groups.count(), [&](int lane, int begin, int end) {
        Bfloat16* spread = call.lane(lane);
        std::fill_n(spread, (in.shape.h + border) * row + read_beyond, Bfloat16{});
        for (int group = begin; group < end; ++group) {
            const int n = group * groups.together, count = groups.size(group);
            for (int i = 0; i < count; ++i)
                place(call.d_out_image(n + i), out, spread + i * pixel, row, pixel * groups.together, edge, win.stride);
            PairConvolution job = convolution({spread, row, pixel, run}, taps, call.packs + p.forward(), nullptr, in,
                                              call.d_in_image(n), call.site.masks_in ? call.in_image(n) : nullptr);
            job.images = groups.together;
            job.stored_images = count;
            job.zero_rows = {edge, edge + (out.shape.h - 1) * win.stride + 1};
            call.on.kernels().convolve(job);
        }
    });
}

/// Input of the weight gradient, bordered and cut into panels: two images of bf16 as pairs, or one of f32 in two parts.
struct PanelPlane {
    std::ptrdiff_t row, panel;
    int edge, panels;

    constexpr PanelPlane(const host::Layout& in, Window win)
        : row((in.shape.w + 2 * win.padding) * 2 * panel_channels),
          panel((in.shape.h + 2 * win.padding) * row),
          edge(win.padding),
          panels(panels_of(in.shape.c)) {}
    constexpr std::size_t size() const { return static_cast<std::size_t>(panels * panel); }
    std::ptrdiff_t at(int h) const { return (h + edge) * row + edge * 2 * panel_channels; }
};

/// Threads share the weights; each sums its own over all images, in order.
template <class In, class Out>
void convolve_backward_weights(const PairCall<In, Out>& call, Window win, const PairPack& p) {
    constexpr bool parts = std::is_same_v<In, float>;
    constexpr int step = parts ? 1 : 2;  // images at a time
    const host::Layout &in = call.site.in, out = rounded_layout(call.site.out.shape);
    const PanelPlane plane(in, win);
    const auto taps = static_cast<std::size_t>(win.kernel * win.kernel);
    const PairWeightGradient job = weight_gradient(
        nullptr, plane.panel, plane.row, in.shape.c, win, out, nullptr, nullptr, call.gradients,
        taps * static_cast<std::size_t>(in.shape.c) * channel_block, call.gradients + p.masters.weights());
    parallel_ranges(call.on.threads(), job.units(), [&](int lane, int begin, int end) {
        Bfloat16* panels = call.lane(lane);
        Bfloat16* rounded = panels + plane.size();  // output gradients that are not bf16 yet
        std::fill_n(panels, plane.size(), Bfloat16{});
        if constexpr (std::is_same_v<Out, float>) std::fill_n(rounded, 2 * out.size, Bfloat16{});
        PairWeightGradient mine = job;
        mine.in = panels;
        mine.zero_rows = {win.padding, win.padding + in.shape.h};
        mine.unit_begin = begin;
        mine.unit_end = end;
        const auto gradient_of = [&](int n, int slot) -> const Bfloat16* {
            if constexpr (std::is_same_v<Out, float>) {
                Bfloat16* to = rounded + static_cast<std::size_t>(slot) * out.size;
                place(call.d_out_image(n), call.site.out, to, out.h, out.w, 0, 1);
                return to;
            } else {
                return call.d_out_image(n);
            }
        };
        for (int n = 0; n < call.images; n += step) {
            mine.first = gradient_of(n, 0);
            if constexpr (parts) {
                for (int h = 0; h < in.shape.h; ++h)
                    split_into_panels(call.in_image(n) + h * in.h, in.shape.w, in.shape.c, panels + plane.at(h),
                                      plane.panel);
                mine.second = mine.first;
            } else {
                const bool both = n + 1 < call.images;
                for (int h = 0; h < in.shape.h; ++h) {
                    PairRows rows{};
                    rows.first = call.in_image(n) + h * in.h;
                    rows.second = both ? call.in_image(n + 1) + h * in.h : nullptr;
                    rows.pixel = in.w;
                    rows.pixels = in.shape.w;
                    rows.panels = plane.panels;
                    rows.to = panels + plane.at(h);
                    rows.to_panel = plane.panel;
                    rows.to_pixel = 2 * panel_channels;
                    call.on.kernels().pair_rows(rows);
                }
                mine.second = both ? gradient_of(n + 1, 1) : nullptr;
            }
            call.on.kernels().accumulate_weight_gradient(mine);
        }
    });
}

/// Scratch of one lane: the largest of the bordered input, the spread output gradient, and the panels with two rounded
/// output gradients.
constexpr std::size_t convolution_scratch(const PairSite& site, Window win) {
    const host::Layout &in = site.in, out = rounded_layout(site.out.shape);
    const auto pixels = [&](int border, int images) {
        return static_cast<std::size_t>(in.shape.h + border) * static_cast<std::size_t>(in.shape.w + border) *
               static_cast<std::size_t>(images);
    };
    const auto pixel = static_cast<std::size_t>(pair_pixel(in, site.in_edge));
    const int forward = site.in_edge ? 1 : interleaved_images(in, site.out, win),
              backward = interleaved_images(out, in, {win.kernel});
    return std::max({pixels(2 * win.padding, forward) * pixel + read_beyond,
                     pixels(win.kernel - 1, backward) * static_cast<std::size_t>(out.w) + read_beyond,
                     PanelPlane(in, win).size() + (site.out_edge ? 2 * out.size : 0)});
}

}  // namespace cpu

template <int Out, int Kernel, int Stride, Padding Pad, Initial Start>
struct host::Stage<Cpu<bf16>, Conv<Out, Kernel, Stride, Pad, Start>> {
    using Layer = Conv<Out, Kernel, Stride, Pad, Start>;
    using Site = cpu::PairSite;
    static constexpr cpu::Window window{Kernel, Stride, Layer::padding};
    static constexpr bool can_finish = true, rounds = true;

    static constexpr cpu::PairPack pack(const Site& site) {
        return {{site.in.shape.c, Out, Kernel},
                site.in_edge,
                cpu::pair_pixel(site.in, site.in_edge),
                static_cast<int>(cpu::rounded_layout(site.out.shape).w),
                cpu::blocks_of_pixel(site.out, site.out_edge),
                cpu::blocks_of_pixel(site.in, site.in_edge)};
    }
    static constexpr cpu::LineLayer lines(const Site& site) {
        return {{site.in.shape.h, site.in.shape.w, window.padding, Kernel}, pack(site).masters, Stride, site.in_edge};
    }
    static constexpr bool masks_input(const Site&) { return true; }
    static constexpr std::size_t master_size(const Site& site) { return pack(site).masters.masters(); }
    static constexpr std::size_t pack_size(const Site& site) { return pack(site).forward() + pack(site).transposed(); }
    static constexpr std::size_t lane_scratch(const Site& site) {
        return std::max(cpu::convolution_scratch(site, window), cpu::line_scratch(site, lines(site)));
    }
    static constexpr std::size_t shared_scratch(const Site& site) {
        return cpu::line_shared_scratch(site, lines(site));
    }

    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::fill_n(masters, site.master_size, 0.0f);
        cpu::reorder_convolution(pack(site).masters, canonical, masters, true);
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        cpu::reorder_convolution(pack(site).masters, masters, canonical, false);
    }
    static void repack(Cpu<bf16>::Context& on, const Site& site, const float* masters, Bfloat16* packs) {
        cpu::repack(on, pack(site), masters, packs);
    }
    template <class I, class O>
    static void forward(const cpu::PairCall<I, O>& call) {
        cpu::convolve_forward(call, window, pack(call.site));
    }
    template <class I, class O>
    static void backward_data(const cpu::PairCall<I, O>& call) {
        cpu::convolve_backward_data(call, window, pack(call.site));
    }
    template <class I, class O>
    static void backward_weights(const cpu::PairCall<I, O>& call) {
        if (!cpu::made_gradient_by_lines(call, lines(call.site)))
            cpu::convolve_backward_weights(call, window, pack(call.site));
    }
};

}  // namespace SKEWGRAD_NAMESPACE
