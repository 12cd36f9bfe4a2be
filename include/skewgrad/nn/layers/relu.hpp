// The rectifier.
#pragma once
#include <skewgrad/nn/layer.hpp>

namespace SKEWGRAD_NAMESPACE {

/// y = max(x, 0); slope 0 at 0.
struct Relu {
    static constexpr const char* name = "relu";
    template <class S>
    SKEWGRAD_FN static constexpr S value(S x) {
        return x > S(0) ? x : S(0);
    }
    template <class S>
    SKEWGRAD_FN static constexpr S slope(S x) {
        return x > S(0) ? S(1) : S(0);
    }
    template <class S>
    SKEWGRAD_FN static constexpr S slope_from_value(S y) {
        return slope(y);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
