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

/// The argmax, the lowest index among equal maxima (numerics: labels), or `no_prediction` if any logit is not finite.
template <std::floating_point T>
Prediction prediction_of(std::span<const T> logits) {
    if (logits.empty() || logits.size() >= static_cast<std::size_t>(index(no_prediction)))
        throw ValueError("prediction_of: a row of " + std::to_string(logits.size()) + " logits");
    std::size_t best = 0;
    for (std::size_t k = 0; k < logits.size(); ++k) {
        if (!finite_bits(logits[k])) return no_prediction;
        if (logits[k] > logits[best]) best = k;
    }
    return static_cast<Prediction>(best);
}

}  // namespace SKEWGRAD_NAMESPACE
