// 3 x 3 convolutions on the CPU by Winograd's F(4 x 4, 3 x 3): transforms, and 36 matrix products between them.
#pragma once
#include <algorithm>
#include <cstddef>

#include <skewgrad/backend/cpu/packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// How a convolution is cut. A strip is one row of tiles of one image; strips of a batch are numbered image by image.
struct WinogradShape {
    Packing packing;
    int padding = 0;
    int in_w = 0, out_w = 0;  ///< floats of a pixel, multiples of 16
    int tiles_h = 0, tiles_w = 0;
    int tiles_per_block = few_tiles;

    /// The same for the weights' gradient.
    constexpr WinogradShape in_large_blocks() const {
        WinogradShape s = *this;
        s.tiles_per_block = many_tiles;
        return s;
    }
    static constexpr int tiles_of(int pixels) { return (pixels + winograd_tile - 1) / winograd_tile; }

    constexpr int strips_per_block() const { return std::max(1, tiles_per_block / std::max(1, tiles_w)); }
    constexpr int tiles() const { return strips_per_block() * tiles_w; }
    // Planes a power of two apart would share a few lines of the first-level cache.
    constexpr std::ptrdiff_t apart(int channels) const { return std::ptrdiff_t{tiles()} * channels + channel_block; }
    constexpr std::size_t planes(int channels) const {
        if (tiles_w == 0) return 0;
        return winograd_planes * static_cast<std::size_t>(apart(channels));
    }
    /// Transformed weights, and their gradients: [36][blocks of outputs][in_c][16].
    constexpr std::ptrdiff_t weight_plane() const {
        return std::ptrdiff_t{blocks_of(packing.out_c)} * packing.in_c * channel_block;
    }
    constexpr std::size_t weights() const {
        if (tiles_w == 0) return 0;
        return winograd_planes * static_cast<std::size_t>(weight_plane());
    }
    constexpr std::size_t zeros() const { return winograd_side * static_cast<std::size_t>(std::max(in_w, out_w)); }
    /// One row of tiles of the output, its pixels padded.
    constexpr std::size_t strip() const {
        return static_cast<std::size_t>(winograd_tile * winograd_tile * tiles_w) * static_cast<std::size_t>(out_w);
    }
    /// A lane's memory: planes of a block's inputs and outputs, a row of zeros, and a strip for compact outputs.
    constexpr std::size_t lane_scratch() const { return planes(in_w) + planes(out_w) + zeros() + strip(); }

    // Rows of a product: enough for a plane's weights to be used many times, few enough for planes to stay in the
    // second-level cache. Gradients of weights are read and written once a block, so that they want larger ones.
    static constexpr int few_tiles = 32, many_tiles = 64;
};

/// The shape of a 3 x 3 convolution of stride 1 from `in` to `out`, or one without tiles where the plain sum is as
/// fast: few channels to sum over, or images that fill their tiles badly.
constexpr WinogradShape winograd_shape(Shape in, Shape out, int padding) {
    const auto padded = [](int c) { return blocks_of(c) * channel_block; };
    WinogradShape s{{in.c, out.c, 3}, padding, padded(in.c), padded(out.c)};
    const int tiles_h = WinogradShape::tiles_of(out.h), tiles_w = WinogradShape::tiles_of(out.w);
    const bool fills = 2 * tiles_h * tiles_w * winograd_planes <= out.h * out.w * 9;
    if (in.c >= channel_block && fills) s.tiles_h = tiles_h, s.tiles_w = tiles_w;
    return s;
}

/// A lane's planes, and the jobs on them.
class WinogradLane {
public:
    WinogradLane(const Call& call, const WinogradShape& s, int lane)
        : kernels_(call.on.kernels()),
          in_{call.lane(lane), s.apart(s.in_w), s.in_w},
          out_{in_.at + s.planes(s.in_w), s.apart(s.out_w), s.out_w},
          zeros_(out_.at + s.planes(s.out_w)),
          padded_(zeros_ + s.zeros()) {
        std::fill_n(zeros_, s.zeros(), 0.0f);
    }
    const WinogradPlanes& in() const { return in_; }
    const WinogradPlanes& out() const { return out_; }

    /// The planes of `strips` strips of images from `first` on; tile (0, 0) of an image begins `border` pixels outside.
    template <class Kernel>
    void scatter(Kernel kernel, const float* images, const host::Layout& l, const WinogradShape& s, int border,
                 const WinogradPlanes& to, int first, int strips, int row_begin, int row_end) const {
        for (int i = 0; i < strips; ++i)
            kernel({strip(images, l, s, border, first + i), after(to, i * s.tiles_w), zeros_, row_begin, row_end});
    }
    /// A strip of outputs from planes, laid out as `l`: compact ones, which have no mask, by way of padded pixels.
    void gather(WinogradGather job, const host::Layout& l, const WinogradShape& s) const {
        const WinogradStrip<float> to = job.to;
        if (l.w == s.out_w) return kernels_.winograd_to_output(job);
        const int rows = std::min(winograd_tile, to.h - to.y);
        const std::ptrdiff_t row = std::ptrdiff_t{to.w} * s.out_w;
        job.to = {padded_, row, s.out_w, rows, to.w, 0, 0, to.tiles};
        kernels_.winograd_to_output(job);
        for (int y = 0; y < rows; ++y)
            for (int x = 0; x < to.w; ++x)
                for (int c = 0; c < l.shape.c; ++c)
                    to.image[(to.y + y) * to.row + x * to.pixel + c] = padded_[y * row + x * s.out_w + c];
    }
    template <class Float>
    static WinogradStrip<Float> strip(Float* images, const host::Layout& l, const WinogradShape& s, int border,
                                      int number) {
        const int n = number / s.tiles_h, y = number % s.tiles_h * winograd_tile - border;
        Float* image = images + static_cast<std::size_t>(n) * l.size;
        return {image, l.h, l.w, l.shape.h, l.shape.w, y, -border, s.tiles_w};
    }
    static WinogradPlanes after(const WinogradPlanes& p, int tiles) {
        return {p.at + std::ptrdiff_t{tiles} * p.channels, p.apart, p.channels};
    }

private:
    const KernelTable& kernels_;
    WinogradPlanes in_, out_;
    float *zeros_, *padded_;
};

/// Inputs of `in` convolved with transformed weights into `out`. `bias` and `mask`, laid out as `out` and without
/// padding of its own, may be null; `done(image, first row, rows)` after each strip.
template <class Done>
void winograd_convolve(const Call& call, const WinogradShape& s, const float* from, const host::Layout& in,
                       const float* weights, const float* bias, bool rectify, const float* mask, float* to,
                       const host::Layout& out, Done done) {
    const KernelTable& kernels = call.on.kernels();
    parallel_ranges(call.on.threads(), call.images * s.tiles_h, [&](int lane, int begin, int end) {
        const WinogradLane own(call, s, lane);
        const int blocks = (end - begin + s.strips_per_block() - 1) / s.strips_per_block();
        for (int block = 0; block < blocks; ++block) {
            const Share share = share_of(end - begin, block, blocks);
            const int first = begin + share.begin, strips = share.end - share.begin;
            own.scatter(kernels.winograd_to_input, from, in, s, s.padding, own.in(), first, strips, 0, winograd_side);
            for (int xi = 0; xi < winograd_planes; ++xi) {
                Convolution job{};
                job.in = own.in().at + xi * own.in().apart;
                job.in_pixel = s.in_w;
                job.in_c = s.packing.in_c;
                job.weights = weights + xi * s.weight_plane();
                job.out = own.out().at + xi * own.out().apart;
                job.out_pixel = s.out_w;
                job.out_c = s.packing.out_c;
                job.out_h = 1;
                job.out_w = strips * s.tiles_w;
                job.out_block_end = blocks_of(s.packing.out_c);
                kernels.convolve(job);
            }
            for (int i = 0; i < strips; ++i) {
                const auto strip = WinogradLane::strip(to, out, s, 0, first + i);
                const float* masks = mask ? WinogradLane::strip(mask, out, s, 0, first + i).image : nullptr;
                own.gather({WinogradLane::after(own.out(), i * s.tiles_w), strip, bias, rectify, masks}, out, s);
                done((first + i) / s.tiles_h, strip.y, std::min(winograd_tile, strip.h - strip.y));
            }
        }
    });
}

inline void winograd_forward(const Call& call, const WinogradShape& s, const float* weights) {
    const bool rectify = call.site.rectifies;
    winograd_convolve(call, s, call.in, call.site.in, weights, call.masters + s.packing.weights(), rectify, nullptr,
                      call.out, call.site.out, [&](int n, int row, int rows) {
                          if (!rectify) call.finish_rows(n, row, rows);
                      });
}

/// `s` is the shape from the outputs to the inputs.
inline void winograd_backward_data(const Call& call, const WinogradShape& s, const float* weights) {
    winograd_convolve(call, s, call.d_out, call.site.out, weights, nullptr, false,
                      call.site.masks_in ? call.in : nullptr, call.d_in, call.site.in, [](int, int, int) {});
}

/// Adds to the gradients. Threads share the six rows of places, and where they are many the outputs too; each sums its
/// own over all tiles of all images, in order. A bias' gradient is the sum over the place whose transform sums a tile.
inline void winograd_backward_weights(const Call& call, const WinogradShape& s) {
    const KernelTable& kernels = call.on.kernels();
    const int threads = call.on.threads(), blocks = blocks_of(s.packing.out_c);
    float* planes = call.shared;
    float* bias_gradient = call.gradients + s.packing.weights();
    int groups = 1;  // of outputs: as few as give all threads as much to do
    while (groups < blocks && winograd_side * groups % threads != 0) ++groups;
    if (winograd_side * groups % threads != 0) groups = std::min(blocks, (threads + winograd_side - 1) / winograd_side);
    const int strips = call.images * s.tiles_h;
    constexpr int sums_a_tile = winograd_side + 1;
    parallel_ranges(threads, winograd_side * groups, [&](int lane, int begin, int end) {
        const WinogradLane own(call, s, lane);
        for (int group = begin / winograd_side; group * winograd_side < end; ++group) {
            const int row_begin = std::max(begin - group * winograd_side, 0);
            const int row_end = std::min(end - group * winograd_side, winograd_side);
            const Share outputs = share_of(blocks, group, groups);
            for (int xi = row_begin * winograd_side; xi < row_end * winograd_side; ++xi) {
                const std::ptrdiff_t block_size = std::ptrdiff_t{s.packing.in_c} * channel_block;
                std::fill_n(planes + xi * s.weight_plane() + outputs.begin * block_size,
                            (outputs.end - outputs.begin) * block_size, 0.0f);
            }
            for (int first = 0; first < strips; first += s.strips_per_block()) {
                const int count = std::min(s.strips_per_block(), strips - first);
                own.scatter(kernels.winograd_to_input, call.in, call.site.in, s, s.padding, own.in(), first, count,
                            row_begin, row_end);
                own.scatter(kernels.winograd_to_gradient, call.d_out, call.site.out, s, 0, own.out(), first, count,
                            row_begin, row_end);
                for (int xi = row_begin * winograd_side; xi < row_end * winograd_side; ++xi) {
                    WeightGradient job{};
                    job.in = own.in().at + xi * own.in().apart;
                    job.in_pixel = s.in_w;
                    job.in_c = s.packing.in_c;
                    job.out_gradient = own.out().at + xi * own.out().apart;
                    job.out_pixel = s.out_w;
                    job.out_c = s.packing.out_c;
                    job.out_h = 1;
                    job.out_w = count * s.tiles_w;
                    job.gradient = planes + xi * s.weight_plane();
                    job.bias_gradient = xi == sums_a_tile ? bias_gradient : nullptr;
                    job.unit_begin = outputs.begin;
                    job.unit_end = outputs.end;
                    kernels.accumulate_weight_gradient(job);
                }
            }
        }
    });
    parallel_ranges(threads, blocks, [&](int, int begin, int end) {
        kernels.winograd_to_weight_gradient({planes, call.gradients, s.packing.in_c, blocks, begin, end});
    });
}

/// Transformed weights from packed ones, threads sharing blocks of outputs.
inline void winograd_transform(int threads, const Packing& p, const KernelTable& kernels, const float* packed,
                               float* planes) {
    const int blocks = blocks_of(p.out_c);
    parallel_ranges(threads, blocks, [&](int, int begin, int end) {
        kernels.winograd_to_weights({packed, planes, p.in_c, blocks, begin, end});
    });
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
