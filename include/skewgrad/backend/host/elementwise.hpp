// The one loop for element-wise layers on host backends: as a stage of its own, and fused behind another in place.
#pragma once
#include <cstddef>
#include <cstring>
#include <type_traits>

#include <skewgrad/backend/host/stage.hpp>
#include <skewgrad/core/parallel.hpp>
#include <skewgrad/nn/layers/relu.hpp>
#include <skewgrad/nn/optimisers.hpp>

namespace SKEWGRAD_NAMESPACE::host {

/// A layer that says `holds_for_vectors` is run on four floats at once; every other one on numbers. nvcc compiles
/// formulas for the device as well, which knows no such vectors: there all run on numbers, to the same bits.
template <class Value, class L>
inline constexpr bool runs_on_lanes = false;
#if !defined(__CUDACC__)
template <class L>
    requires(L::holds_for_vectors)
inline constexpr bool runs_on_lanes<float, L> = true;
#endif

template <class Value, class Sum, class L>
struct InPlace {
    using Lanes = optimiser::FloatLanes;

    static void value(Value* y, int rows, int channels, std::ptrdiff_t stride) {
        for (int r = 0; r < rows; ++r, y += stride) {
            int c = 0;
            if constexpr (runs_on_lanes<Value, L>)
                for (; c + 4 <= channels; c += 4) store(y + c, L::value(load(y + c)));
            for (; c < channels; ++c) y[c] = static_cast<Value>(L::value(static_cast<Sum>(y[c])));
        }
    }
    static void slope(const Value* y, Value* dy, int rows, int channels, std::ptrdiff_t stride) {
        for (int r = 0; r < rows; ++r, y += stride, dy += stride) {
            int c = 0;
            if constexpr (runs_on_lanes<Value, L>)
                for (; c + 4 <= channels; c += 4) store(dy + c, load(dy + c) * L::slope_from_value(load(y + c)));
            for (; c < channels; ++c)
                dy[c] = static_cast<Value>(static_cast<Sum>(dy[c]) * L::slope_from_value(static_cast<Sum>(y[c])));
        }
    }
    static constexpr Epilogue<Value> epilogue{&value, &slope, std::is_same_v<L, Relu>};

private:
    static Lanes load(const float* at) {
        Lanes v;
        std::memcpy(&v, at, sizeof v);
        return v;
    }
    static void store(float* at, Lanes v) { std::memcpy(at, &v, sizeof v); }
};

/// A layer's epilogue on a backend, or null where its slope needs its input.
template <class B, class L>
constexpr const Epilogue<typename B::Value>* epilogue_of() {
    if constexpr (SlopeFromValue<L, typename B::Sum>)
        return &InPlace<typename B::Value, typename B::Sum, L>::epilogue;
    else
        return nullptr;
}

template <class B, class L>
struct ElementwiseStage {
    using Value = typename B::Value;
    using Sum = typename B::Sum;

    static void forward(const Call<B>& call) {
        each(call, [&](std::size_t in, std::size_t out) {
            call.out[out] = static_cast<Value>(L::value(static_cast<Sum>(call.in[in])));
        });
        clear_padding(call.site.out, call.out, call.images);
    }
    static void backward_data(const Call<B>& call) {
        each(call, [&](std::size_t in, std::size_t out) {
            call.d_in[in] =
                static_cast<Value>(static_cast<Sum>(call.d_out[out]) * L::slope(static_cast<Sum>(call.in[in])));
        });
        clear_padding(call.site.in, call.d_in, call.images);
    }

private:
    // The image itself is compact where other values are padded: input and output each have their own offsets.
    template <class Body>
    static void each(const Call<B>& call, Body body) {
        const Layout &in = call.site.in, &out = call.site.out;
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const auto image = static_cast<std::size_t>(n);
            for (int h = 0; h < in.shape.h; ++h)
                for (int w = 0; w < in.shape.w; ++w)
                    for (int c = 0; c < in.shape.c; ++c)
                        body(image * in.size + in(c, h, w), image * out.size + out(c, h, w));
        });
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
