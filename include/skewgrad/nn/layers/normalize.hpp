// Per-channel normalisation by constants, as a layer, so that attacks stay in pixel space.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include <skewgrad/nn/layer.hpp>

namespace SKEWGRAD_NAMESPACE {

/// y = (x - mean[c]) / deviation[c]. `Statistics` has `static constexpr std::array<float, C> mean, deviation`, in
/// units of pixels in [0, 1].
template <class Statistics>
struct Normalize {
    static constexpr const char* name = "normalize";
    /// A digest of all constants (FNV-1a), so that descriptions of different normalisations differ.
    static constexpr std::array<int, 1> values{[] {
        std::uint32_t digest = 2166136261u;
        for (const auto& row : {Statistics::mean, Statistics::deviation})
            for (float x : row) digest = (digest ^ std::bit_cast<std::uint32_t>(x)) * 16777619u;
        return static_cast<int>(digest >> 1);
    }()};
    static constexpr Fault check(Shape in) {
        const auto c = static_cast<std::size_t>(in.c);
        return Statistics::mean.size() == c && Statistics::deviation.size() == c
                   ? Fault::none
                   : Fault::channel_count_differs_from_the_statistics;
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P, int c, int h, int w) {
        const auto x = in(c, h, w);
        using S = decltype(in(c, h, w));
        return static_cast<S>((x - S(mean(c))) / S(deviation(c)));
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View, Gradient out_gradient, P, int c, int h, int w) {
        using S = decltype(out_gradient(c, h, w));
        return static_cast<S>(out_gradient(c, h, w) / S(deviation(c)));
    }

private:
    // As a value: of a class' constants device code knows no address, and of std::array no function.
    template <std::size_t C>
    struct Row {
        float at[C]{};
        constexpr explicit Row(const std::array<float, C>& from) {
            for (std::size_t c = 0; c < C; ++c) at[c] = from[c];
        }
    };
    SKEWGRAD_FN static constexpr float mean(int c) {
        constexpr Row row(Statistics::mean);
        return row.at[c];
    }
    SKEWGRAD_FN static constexpr float deviation(int c) {
        constexpr Row row(Statistics::deviation);
        return row.at[c];
    }
};

}  // namespace SKEWGRAD_NAMESPACE
