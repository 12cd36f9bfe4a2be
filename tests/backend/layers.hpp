// Layers as a user writes them: element-wise with and without slope_from_value, gather with parameters.
#pragma once
#include <array>
#include <cmath>
#include <cstddef>
#include <skewgrad/nn/network.hpp>

namespace skewgrad_tests {

/// Needs its input for its slope, so it is a stage of its own.
struct Softplus {
    static constexpr const char* name = "softplus";
    template <class S>
    SKEWGRAD_FN static S value(S x) {
        return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    }
    template <class S>
    SKEWGRAD_FN static S slope(S x) {
        return 1 / (1 + std::exp(-x));
    }
};

/// Tells its slope from its value, so it is fused behind the layer before it.
struct Sigmoid {
    static constexpr const char* name = "sigmoid";
    template <class S>
    SKEWGRAD_FN static S value(S x) {
        return 1 / (1 + std::exp(-x));
    }
    template <class S>
    SKEWGRAD_FN static S slope(S x) {
        return slope_from_value(value(x));
    }
    template <class S>
    SKEWGRAD_FN static S slope_from_value(S y) {
        return y * (1 - y);
    }
};

/// y[c] = scale[c] x[c] + shift[c].
struct ScaleAndShift {
    static constexpr const char* name = "scale_and_shift";
    static constexpr skewgrad::Parameters<2> parameters(skewgrad::Shape in) {
        return {skewgrad::Parameter{"scale", {in.c, 1, 1, 1}, skewgrad::Role::trainable, skewgrad::Initial::ones},
                skewgrad::Parameter{"shift", {in.c, 1, 1, 1}}};
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        return p[c] * in(c, h, w) + p[in.shape.c + c];
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View, Gradient d_out, P p, int c, int h, int w) {
        return p[c] * d_out(c, h, w);
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto parameter_gradient(View in, Gradient d_out, P, int k) {
        const int c = k % in.shape.c;
        auto sum = d_out(c, 0, 0) * 0;
        for (int h = 0; h < in.shape.h; ++h)
            for (int w = 0; w < in.shape.w; ++w) sum += k < in.shape.c ? d_out(c, h, w) * in(c, h, w) : d_out(c, h, w);
        return sum;
    }
};

/// A 3 x 3 filter a channel, zeros around the image; then a statistic a channel, which nothing reads or steps.
struct Depthwise {
    static constexpr const char* name = "depthwise";
    static constexpr skewgrad::Parameters<2> parameters(skewgrad::Shape in) {
        return {skewgrad::Parameter{
                    "weight", {in.c, 1, 3, 3}, skewgrad::Role::trainable, skewgrad::Initial::glorot_uniform, 9, 9},
                skewgrad::Parameter{"seen", {in.c, 1, 1, 1}, skewgrad::Role::statistic, skewgrad::Initial::ones}};
    }
    template <class View>
    SKEWGRAD_FN static auto at(View x, int c, int h, int w) {
        const bool inside = h >= 0 && h < x.shape.h && w >= 0 && w < x.shape.w;
        return inside ? x(c, h, w) : x(c, 0, 0) * 0;
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        auto sum = in(c, h, w) * 0;
        for (int i = 0; i < 9; ++i) sum += p[9 * c + i] * at(in, c, h + i / 3 - 1, w + i % 3 - 1);
        return sum;
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View, Gradient d_out, P p, int c, int h, int w) {
        auto sum = d_out(c, h, w) * 0;
        for (int i = 0; i < 9; ++i) sum += p[9 * c + i] * at(d_out, c, h - i / 3 + 1, w - i % 3 + 1);
        return sum;
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto parameter_gradient(View in, Gradient d_out, P, int k) {
        const int c = k / 9, i = k % 9;
        auto sum = d_out(c, 0, 0) * 0;
        for (int h = 0; h < in.shape.h; ++h)
            for (int w = 0; w < in.shape.w; ++w) sum += d_out(c, h, w) * at(in, c, h + i / 3 - 1, w + i % 3 - 1);
        return sum;
    }
};

/// Three channels' constants, all different.
struct Statistics {
    static constexpr std::array<float, 3> mean{0.5f, 0.4f, 0.3f}, deviation{0.25f, 0.5f, 0.75f};
};

}  // namespace skewgrad_tests
