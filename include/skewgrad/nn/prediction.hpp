// Prediction (argmax) from a row of logits; no prediction if one of them is not finite.
#pragma once
#include <concepts>
#include <cstddef>
#include <span>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/core/label.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The prediction of a network whose logits are not all finite. It equals no label, so it counts as wrong everywhere.
inline constexpr Prediction no_prediction{0xFFFF};

/// The lowest index among equal maxima of a row of logits (numerics: labels), or -1 if any of them is not finite.
template <std::floating_point T>
SKEWGRAD_FN constexpr int argmax_of(const T* logits, int classes) noexcept {
    int best = 0;
    for (int k = 0; k < classes; ++k) {
        if (!finite_bits(logits[k])) return -1;
        if (logits[k] > logits[best]) best = k;
    }
    return best;
}

/// The same as a prediction: `no_prediction` if any logit is not finite.
template <std::floating_point T>
Prediction prediction_of(std::span<const T> logits) {
    if (logits.empty() || logits.size() >= static_cast<std::size_t>(index(no_prediction)))
        throw ValueError("prediction_of: a row of " + std::to_string(logits.size()) + " logits");
    const int best = argmax_of(logits.data(), static_cast<int>(logits.size()));
    return best < 0 ? no_prediction : static_cast<Prediction>(best);
}

}  // namespace SKEWGRAD_NAMESPACE
