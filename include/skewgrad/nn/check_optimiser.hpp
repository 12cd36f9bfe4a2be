// Valid ranges of optimiser rates (hyperparameters): one range per name, also for a user's optimisers.
#pragma once
#include <concepts>
#include <string_view>

#include <skewgrad/core/range.hpp>
#include <skewgrad/nn/optimisers.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace optimiser {

/// The valid range of the rate of this name. Every rate is finite. The ranges are PyTorch's and Keras', except that an
/// epsilon of 0 is refused: if all gradients of a weight were 0, the update would divide 0 by 0.
inline Range range_of(std::string_view rate) {
    if (rate == "learning_rate" || rate == "decay" || rate == "weight_decay") return {.least = 0};
    if (rate == "epsilon") return {.least = 0, .with_least = false};
    if (rate == "rho" || rate == "alpha" || rate == "beta1" || rate == "beta2")
        return {.least = 0, .most = 1, .with_most = false};
    if (rate == "momentum") return {.least = 0, .most = 1};
    return {};  // a user's own rate
}

}  // namespace optimiser

/// Throws ValueError, naming optimiser, rate and value, for an invalid rate. A session checks this first; a plan may
/// check it before it starts.
template <Optimiser O>
void check(const O& optimiser) {
    for_each_value(optimiser, [](const char* name, auto rate) {
        if constexpr (std::floating_point<decltype(rate)>) check_range(O::name, name, rate, optimiser::range_of(name));
    });
}

}  // namespace SKEWGRAD_NAMESPACE
