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

/// A layer of weights as matrices. Masters, and their gradients, are (tap, channel of the input as stored) x output,
/// rows padded to `stride`, then one row of biases. Padding is zero and stays so.
template <class B>
struct Matrices {
    host::Layout in, out;  // a flat layer's input is one pixel
    int taps, channels, outputs, stride;

    constexpr Matrices(const host::Site<B>& site, Reading reading)
        : in(reading.flat ? host::channels_last({static_cast<int>(site.in.size), 1, 1}, static_cast<int>(site.in.size))
                          : site.in),
          out(site.out),
          taps(reading.window.kernel * reading.window.kernel),
          channels(static_cast<int>(in.w)),
          outputs(out.shape.c),
          stride((outputs + 15) / 16 * 16) {}
    constexpr int rows() const { return taps * channels; }
    constexpr std::size_t master_size() const {
        return static_cast<std::size_t>(rows() + 1) * static_cast<std::size_t>(stride);
    }
    /// How often a row of weights is multiplied: bf16 products read an f32 value as two parts.
    static constexpr int parts(bool in_edge) { return !std::is_same_v<typename B::Value, float> && in_edge ? 2 : 1; }
    /// Packed weights: forward only where they are not masters as they stand, then backward.
    constexpr std::size_t forward_pack(bool in_edge) const {
        if (std::is_same_v<typename B::Value, float>) return 0;
        return static_cast<std::size_t>(parts(in_edge) * rows()) * static_cast<std::size_t>(stride);
    }
    constexpr int back_stride() const { return (channels + 15) / 16 * 16; }
    constexpr std::size_t backward_pack() const {
        return static_cast<std::size_t>(taps) * static_cast<std::size_t>(out.w) * static_cast<std::size_t>(back_stride());
    }
};

/// How gradients of weights share their long sums, over all pixels of a batch, among blocks.
struct Shares {
    static constexpr int blocks = 264, tile = 64;  // two blocks for each of a large GPU's 132 multiprocessors
    static constexpr int least = 512;              // pixels that a share is worth

    static constexpr int tiles(int rows, int stride) {
        return (rows + tile - 1) / tile * ((stride + tile - 1) / tile);
    }
    static constexpr int most(int rows, int stride) {
        const int all = tiles(rows, stride);
        return all >= blocks ? 1 : (blocks + all - 1) / all;
    }
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
        return m.forward_pack(site.in_edge) + m.backward_pack();
    }
    static constexpr std::size_t shared_scratch(const Site& site) {
        const Matrices<B> m(site, reading);
        const int rows = Matrices<B>::parts(site.in_edge) * m.rows() + 1;
        const std::size_t sums = static_cast<std::size_t>(Shares::most(rows, m.stride)) *
                                 static_cast<std::size_t>(rows) * static_cast<std::size_t>(m.stride);
        return sums * sizeof(float) / sizeof(Value);
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
        const std::size_t forward = m.forward_pack(site.in_edge);
        if (forward > 0) each(on.device(), forward, PackForward<Value>{m.rows() * m.stride, masters, packs});
        each(on.device(), m.backward_pack(),
             PackBackward<Value>{Divide(m.back_stride()), Divide(static_cast<int>(m.out.w)), m.channels, m.outputs,
                                 m.stride, masters, packs + forward});
    }

    template <class In, class Out>
    static void forward(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        auto patches = under_window(call, m);
        const Rows<Value, Value> weights{forward_weights(call, m), patches.columns(), m.stride, m.stride};
        const StoreOutput<Out> store{call.out,  call.masters + m.rows() * m.stride,   patches.pixels,
                                     m.outputs, static_cast<int>(m.out.w), call.site.rectifies};
        run<SumOver::columns>(call, patches.pixels, m.stride, patches.columns(), 1, patches, weights, store);
    }
    template <class In, class Out>
    static void backward_data(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        const Patches<Out, Value, Direction::backward> slopes(call.d_out, call.images, m.in.shape, m.out,
                                                              static_cast<int>(m.out.w), reading.window);
        const Rows<Value, Value> weights{call.packs + m.forward_pack(call.site.in_edge), slopes.columns(),
                                         m.back_stride(), m.back_stride()};
        const StoreSlopes<In> store{call.d_in, call.site.masks_in ? call.in : nullptr, slopes.pixels, m.in.shape.c,
                                    m.channels};
        run<SumOver::columns>(call, slopes.pixels, m.back_stride(), slopes.columns(), 1, slopes, weights, store);
    }
    template <class In, class Out>
    static void backward_weights(const host::Call<B, In, In, Out>& call) {
        const Matrices<B> m(call.site, reading);
        auto patches = under_window(call, m);
        patches.ones = true;
        const int rows = patches.columns(), pixels = patches.pixels;
        const int shares = std::clamp(pixels / Shares::least, 1, Shares::most(rows, m.stride));
        float* sums = reinterpret_cast<float*>(call.shared);
        const Rows<Out, Value> slopes{call.d_out, pixels, static_cast<int>(m.out.w), static_cast<int>(m.out.w)};
        run<SumOver::rows>(call, rows, m.stride, pixels, shares, patches, slopes, StoreShare{sums, rows, m.stride});
        each(call.on.device(), m.master_size(),
             AddShares{Divide(m.stride), m.rows(), patches.parts, shares, sums, call.gradients});
    }

private:
    template <class C>
    static auto under_window(const C& call, const Matrices<B>& m) {
        using In = typename C::InElement;
        Patches<In, Value, Direction::forward> patches(call.in, call.images, m.out.shape, m.in, m.channels,
                                                       reading.window);
        patches.parts = std::is_same_v<In, Value> ? 1 : 2;
        return patches;
    }
    template <class C>
    static const Value* forward_weights(const C& call, const Matrices<B>&) {
        if constexpr (std::is_same_v<Value, float>)
            return call.masters;
        else
            return call.packs;
    }
    /// `outputs`: columns of the result, in tiles of 32 or 64; the sum of `length` products in `shares` parts.
    template <SumOver over, class C, class Left, class Right, class Store>
    static void run(const C& call, int rows, int outputs, int length, int shares, const Left& left, const Right& right,
                    const Store& store) {
        if (outputs <= 32)
            launch<Product<Value, 32, over, Left, Right, Store>>(call, rows, outputs, 32, length, shares, left, right, store);
        else
            launch<Product<Value, 64, over, Left, Right, Store>>(call, rows, outputs, 64, length, shares, left, right, store);
    }
    template <class Kernel, class C, class Left, class Right, class Store>
    static void launch(const C& call, int rows, int outputs, int tile, int length, int shares, const Left& left,
                       const Right& right, const Store& store) {
        constexpr int depth = Kernel::depth_of_tile;
        const int share = ((length + shares - 1) / shares + depth - 1) / depth * depth;
        const Grid grid{(rows + Kernel::tile_rows - 1) / Kernel::tile_rows, (outputs + tile - 1) / tile, shares};
        call.on.device().launch(grid, Kernel{left, right, store, length, share});
    }

    // Calls f(place among masters, place in canonical order) for every weight and bias.
    template <class F>
    static void each_weight(const Site& site, F f) {
        const Matrices<B> m(site, reading);
        const Shape s = site.in.shape;
        const auto at = [&](int row, int o) {
            return static_cast<std::size_t>(row) * static_cast<std::size_t>(m.stride) + static_cast<std::size_t>(o);
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
        for (int o = 0; o < m.outputs; ++o) f(at(m.rows(), o), canonical++);
    }
};

}  // namespace cuda

template <class P, class R, int Out, int Kernel, int Stride, Padding Pad, Initial Start>
struct host::Stage<cuda::Policy<P, R>, Conv<Out, Kernel, Stride, Pad, Start>>
    : cuda::ProductStage<P, R, cuda::Reading{{Kernel, Stride, Conv<Out, Kernel, Stride, Pad, Start>::padding}, false}> {};

template <class P, class R, int Out, Initial Start>
struct host::Stage<cuda::Policy<P, R>, Dense<Out, Start>> : cuda::ProductStage<P, R, cuda::Reading{{}, true}> {};

}  // namespace SKEWGRAD_NAMESPACE
