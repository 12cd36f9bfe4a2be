// Which rates an optimiser may have: one range a name, for a user's optimisers too.
#pragma once
#include <concepts>
#include <string_view>

#include <skewgrad/core/range.hpp>
#include <skewgrad/nn/optimisers.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace optimiser {

/// What the rate of this name may be. Every one is finite; the ranges are PyTorch's and Keras', but that an epsilon of
/// 0 is refused: where a weight's gradients were all 0 the update would divide 0 by 0.
inline Range range_of(std::string_view rate) {
    if (rate == "learning_rate" || rate == "decay" || rate == "weight_decay") return {.least = 0};
    if (rate == "epsilon") return {.least = 0, .with_least = false};
    if (rate == "rho" || rate == "alpha" || rate == "beta1" || rate == "beta2")
        return {.least = 0, .most = 1, .with_most = false};
    if (rate == "momentum") return {.least = 0, .most = 1};
    return {};  // a user's own
}

}  // namespace optimiser

/// Throws ValueError, naming optimiser, rate and value, for a rate that cannot be. A session begins with it; a plan may
/// ask before it starts.
template <Optimiser O>
void check(const O& optimiser) {
    for_each_value(optimiser, [](const char* name, auto rate) {
        if constexpr (std::floating_point<decltype(rate)>) check_range(O::name, name, rate, optimiser::range_of(name));
    });
}

}  // namespace SKEWGRAD_NAMESPACE
