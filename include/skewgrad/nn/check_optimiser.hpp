// Which rates an optimiser may have: one range a name, for a user's optimisers too.
#pragma once
#include <algorithm>
#include <limits>
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
    if (rate == "momentum" || rate == "nesterov") return {.least = 0, .most = 1};
    return {};  // a user's own
}

}  // namespace optimiser

/// Throws ValueError, naming optimiser, rate and value, for a rate that cannot be. A session begins with it; a plan may
/// ask before it starts.
template <Optimiser O>
void check(const O& optimiser) {
    for (const optimiser::Rate& rate : optimiser.rates()) {
        constexpr double most = std::numeric_limits<float>::max();
        // As most rates are given, for the fewest digits in the message.
        const auto narrow = static_cast<float>(std::clamp(rate.value, -most, most));
        if (static_cast<double>(narrow) == rate.value)
            check_range(O::name, rate.name, narrow, optimiser::range_of(rate.name));
        else
            check_range(O::name, rate.name, rate.value, optimiser::range_of(rate.name));
    }
}

}  // namespace SKEWGRAD_NAMESPACE
