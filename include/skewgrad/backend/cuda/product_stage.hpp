// Convolutions and dense layers on a device: three products a layer, on patches of images.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/cuda/kernels/product.hpp>
#include <skewgrad/backend/cuda/kernels/training.hpp>
#include <skewgrad/backend/cuda/policy.hpp>
#include <skewgrad/backend/cuda/stages.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cuda {

/// How a layer of weights reads its input: under a window, or all of it at once as one pixel of many channels.
struct Reading {
    Window window;
    bool flat = false;
};

constexpr int round_up(int n, int to) { return (n + to - 1) / to * to; }

/// A layer of weights as matrices. Masters, and their gradients, are (tap, channel of the input as stored) x output,
/// rows padded to `stride`, then one row of biases. Padding is zero and stays so. Products read as many channels a tap,
/// but of an edge value (f32, compact) a copy: bf16 two parts of each channel, filled up to whole vectors.
template <class B>
struct Matrices {
    using Value = typename B::Value;
    host::Layout in, out;  // a flat layer's input is one pixel
    int taps, channels, outputs, stride, parts, read;
    bool splits;

    constexpr Matrices(const host::Site<B>& site, Reading reading)
        : in(reading.flat ? host::channels_last({static_cast<int>(site.in.size), 1, 1}, static_cast<int>(site.in.size))
                          : site.in),
          out(site.out),
          taps(reading.window.kernel * reading.window.kernel),
          channels(static_cast<int>(in.w)),
          outputs(out.shape.c),
          stride(round_up(outputs, 16)),
          parts(site.in_edge && !std::is_same_v<Value, float> ? 2 : 1),
          read(site.in_edge ? round_up(parts * channels, static_cast<int>(16 / sizeof(Value))) : channels),
          splits(site.in_edge) {}

    constexpr std::size_t master_size() const { return elements(taps * channels + 1, stride); }
    constexpr int read_rows() const { return taps * read; }
    /// Packed weights: forward only where they are not masters as they stand, then backward.
    constexpr std::size_t forward_pack() const {
        return std::is_same_v<Value, float> && !splits ? 0 : elements(read_rows(), stride);
    }
    constexpr int back_stride() const { return round_up(channels, 16); }
    constexpr std::size_t backward_pack() const {
        return static_cast<std::size_t>(taps) * static_cast<std::size_t>(out.w) *
               static_cast<std::size_t>(back_stride());
    }
    /// The input as products read it.
    constexpr host::Layout read_in() const { return splits ? host::channels_last(in.shape, read) : in; }
    constexpr ReadRows rows() const { return {Divide(channels), taps, parts, read}; }

    static constexpr std::size_t elements(int rows, int columns) {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns);
    }
};

/// How long sums are shared among blocks. The bits of a pass forward must not depend on how many images there are, so
/// there the sum's length alone decides; a gradient of weights, over all pixels of a batch, is shared by their number.
struct Shares {
    static constexpr int blocks = 264, tile = 64;  // two blocks for each of a large GPU's 132 multiprocessors
    static constexpr int least = 256;              // products that a share is worth

    static constexpr int tiles(int rows, int stride) { return (rows + tile - 1) / tile * ((stride + tile - 1) / tile); }
    static constexpr int most(int rows, int stride) {
        const int all = tiles(rows, stride);
        return all >= blocks ? 1 : (blocks + all - 1) / all;
    }
    static constexpr int of_flat(int length) { return length < 2 * least ? 1 : std::min(length / least, 8); }
};

template <class P, class R, Reading reading>
struct ProductStage {
    using B = Policy<P, R>;
    using Site = host::Site<B>;
    using Value = typename B::Value;
    static constexpr bool can_finish = true;
    static constexpr bool rounds = true;

    static constexpr bool masks_input(const Site&) { return true; }
    static constexpr std::size_t master_size(const Site& site) { return Matrices<B>(site, reading).master_size(); }
    static constexpr std::size_t pack_size(const Site& site) {
        const Matrices<B> m(site, reading);
        return m.forward_pack() + m.backward_pack();
    }
    /// For one image: the input as products read it, then the shares of a flat layer's outputs.
    static constexpr std::size_t lane_scratch(const Site& site) {
        const Matrices<B> m(site, reading);
        return split_size(m) + (flat_shares(m) > 1 ? Matrices<B>::elements(flat_shares(m), m.stride) * floats : 0);
    }
    static constexpr std::size_t shared_scratch(const Site& site) {
        const Matrices<B> m(site, reading);
        const int rows = m.read_rows() + 1;
        return static_cast<std::size_t>(Shares::most(rows, m.stride)) * Matrices<B>::elements(rows, m.stride) * floats;
    }

    static void import_parameters(const Site& site, const float* canonical, float* masters) {
        std::fill_n(masters, site.master_size, 0.0f);
        each_weight(site, [&](std::size_t mine, std::size_t theirs) { masters[mine] = canonical[theirs]; });
    }
    static void export_parameters(const Site& site, const float* masters, float* canonical) {
        each_weight(site, [&](std::size_t mine, std::size_t theirs) { canonical[theirs] = masters[mine]; });
    }
    static void repack(typename B::Context& on, const Site& site, const float* masters, Value* packs) {
        const Matrices<B> m(site, reading);
        each(on.device(), m.forward_pack() + m.backward_pack(),
             Pack<Value>{static_cast<int>(m.forward_pack()), Divide(m.stride), Divide(m.read), m.rows(),
                         Divide(m.back_stride()), Divide(static_cast<int>(m.out.w)), m.outputs, masters, packs});
    }

    template <class In, class Out>
    static void forward(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        const auto patches = under_window(call, m);
        const Value* packed = call.packs;
        if constexpr (std::is_same_v<Value, float>)
            if (!m.splits) packed = call.masters;
        const Rows<Value, Value> weights{packed, patches.columns(), m.stride, m.stride};
        const StoreOutput<Out> store{call.out,
                                     call.masters + m.taps * m.channels * m.stride,
                                     patches.pixels,
                                     m.outputs,
                                     static_cast<int>(m.out.w),
                                     call.site.rectifies};
        const int shares = flat_shares(m), rows = patches.pixels;
        if (shares == 1) return pass(call, rows, m.stride, patches.columns(), 1, patches, weights, store);
        float* sums = reinterpret_cast<float*>(call.scratch + split_size(m) * static_cast<std::size_t>(call.images));
        pass(call, rows, m.stride, patches.columns(), shares, patches, weights, StoreShare{sums, rows, m.stride});
        each(call.on.device(), Matrices<B>::elements(rows, m.stride / 8),
             Finish<StoreOutput<Out>>{Divide(m.stride / 8), rows, m.stride, shares, sums, store});
    }
    template <class In, class Out>
    static void backward_data(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        constexpr Direction back = reading.window.stride == 1 ? Direction::backward : Direction::backward_strided;
        const Patches<Out, Value, back> slopes(call.d_out, call.images, m.in.shape, m.out, static_cast<int>(m.out.w),
                                               reading.window);
        const Rows<Value, Value> weights{call.packs + m.forward_pack(), slopes.columns(), m.back_stride(),
                                         m.back_stride()};
        const StoreSlopes<In> store{call.d_in, call.site.masks_in ? call.in : nullptr, slopes.pixels, m.in.shape.c,
                                    m.channels};
        pass(call, slopes.pixels, m.back_stride(), slopes.columns(), 1, slopes, weights, store);
    }
    template <class In, class Out>
    static void backward_weights(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        const auto patches = under_window<true>(call, m);
        const int rows = patches.columns(), pixels = patches.pixels;
        const int shares = std::clamp(pixels / Shares::least, 1, Shares::most(rows, m.stride));
        float* sums = reinterpret_cast<float*>(call.shared);
        const Rows<Out, Value> slopes{call.d_out, pixels, static_cast<int>(m.out.w), static_cast<int>(m.out.w)};
        const StoreShare store{sums, rows, m.stride};
        if (m.stride <= 32)
            launch<64, 32, SumOver::rows>(call, rows, m.stride, pixels, shares, patches, slopes, store);
        else
            launch<64, 64, SumOver::rows>(call, rows, m.stride, pixels, shares, patches, slopes, store);
        each(call.on.device(), m.master_size(), AddShares{Divide(m.stride), m.rows(), shares, sums, call.gradients});
    }

private:
    static constexpr std::size_t floats = sizeof(float) / sizeof(Value);  // a float, in elements of scratch

    static constexpr int flat_shares(const Matrices<B>& m) { return reading.flat ? Shares::of_flat(m.read_rows()) : 1; }
    static constexpr std::size_t split_size(const Matrices<B>& m) {
        return m.splits ? (m.read_in().size + 15) / 16 * 16 : 0;
    }
    /// The input's patches; an edge value is first copied as products read it.
    template <bool ones = false, class C>
    static auto under_window(const C& call, const Matrices<B>& m) {
        using In = typename C::InElement;
        const Value* from = nullptr;
        if constexpr (std::is_same_v<In, Value>) from = call.in;
        if constexpr (std::is_same_v<In, float>) {
            if (m.splits) {
                from = call.scratch;
                each(call.on.device(), m.read_in().size * static_cast<std::size_t>(call.images),
                     Split<Value>{Divide(m.read), m.channels, m.parts, call.in, call.scratch});
            }
        }
        return Patches<Value, Value, Direction::forward, ones>(from, call.images, m.out.shape, m.read_in(), m.read,
                                                               reading.window);
    }

    /// In the largest tiles that give most multiprocessors a block.
    template <class C, class Left, class Right, class Store>
    static void pass(const C& call, int rows, int outputs, int length, int shares, const Left& left, const Right& right,
                     const Store& store) {
        const auto blocks = [&](int high, int wide) {
            return (rows + high - 1) / high * ((outputs + wide - 1) / wide) * shares;
        };
        constexpr int enough = Shares::blocks / 2;
        constexpr SumOver over = SumOver::columns;
        if (outputs <= 32) {
            if (blocks(128, 32) >= enough)
                launch<128, 32, over>(call, rows, outputs, length, shares, left, right, store);
            else
                launch<32, 32, over>(call, rows, outputs, length, shares, left, right, store);
        } else if (blocks(128, 64) >= 2 * enough) {
            launch<128, 64, over>(call, rows, outputs, length, shares, left, right, store);
        } else if (blocks(64, 64) >= enough) {
            launch<64, 64, over>(call, rows, outputs, length, shares, left, right, store);
        } else {
            launch<32, 32, over>(call, rows, outputs, length, shares, left, right, store);
        }
    }
    template <int high, int wide, SumOver over, class C, class Left, class Right, class Store>
    static void launch(const C& call, int rows, int outputs, int length, int shares, const Left& left,
                       const Right& right, const Store& store) {
        using Kernel = Product<Value, high, wide, over, Left, Right, Store>;
        const int share = round_up((length + shares - 1) / shares, Kernel::depth_of_tile);
        const Grid grid{(rows + high - 1) / high, (outputs + wide - 1) / wide, shares};
        call.on.device().launch(grid, Kernel{left, right, store, length, share});
    }

    // Calls f(place among masters, place in canonical order) for every weight and bias.
    template <class F>
    static void each_weight(const Site& site, F f) {
        const Matrices<B> m(site, reading);
        const Shape s = site.in.shape;
        const auto at = [&](int row, int o) {
            return Matrices<B>::elements(row, m.stride) + static_cast<std::size_t>(o);
        };
        std::size_t canonical = 0;
        for (int o = 0; o < m.outputs; ++o)
            if (reading.flat) {
                for (int c = 0; c < s.c; ++c)
                    for (int h = 0; h < s.h; ++h)
                        for (int w = 0; w < s.w; ++w) f(at(static_cast<int>(site.in(c, h, w)), o), canonical++);
            } else {
                for (int c = 0; c < s.c; ++c)
                    for (int tap = 0; tap < m.taps; ++tap) f(at(tap * m.channels + c, o), canonical++);
            }
        for (int o = 0; o < m.outputs; ++o) f(at(m.taps * m.channels, o), canonical++);
    }
};

}  // namespace cuda

template <class P, class R, int Out, int Kernel, int Stride, Padding Pad, Initial Start>
struct host::Stage<cuda::Policy<P, R>, Conv<Out, Kernel, Stride, Pad, Start>>
    : cuda::ProductStage<P, R, cuda::Reading{{Kernel, Stride, Conv<Out, Kernel, Stride, Pad, Start>::padding}, false}> {
};

template <class P, class R, int Out, Initial Start>
struct host::Stage<cuda::Policy<P, R>, Dense<Out, Start>> : cuda::ProductStage<P, R, cuda::Reading{{}, true}> {};

}  // namespace SKEWGRAD_NAMESPACE
