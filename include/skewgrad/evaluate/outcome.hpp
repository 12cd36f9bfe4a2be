// What a network made of one image: its answer, margin, loss and confidence, from a row of logits.
#pragma once
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/evaluate/ratio.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The answer of a network whose logits are not all finite. It equals no label, so it counts as wrong everywhere.
inline constexpr Prediction no_answer{0xFFFF};

/// One image's record (claims: "recorded per image").
struct Outcome {
    Prediction said = no_answer;
    float margin = 0;      ///< z_y minus the largest other logit; above 0: right, below 0: wrong, 0: a tie
    float loss = 0;        ///< cross-entropy on logits, in nats: logsumexp(z) - z_y
    float confidence = 0;  ///< the softmax probability of the class said
    friend constexpr bool operator==(const Outcome&, const Outcome&) = default;
};

/// Neither infinite nor not-a-number, read from the bits: a user's -ffast-math cannot turn the test off.
template <std::floating_point T>
constexpr bool finite_bits(T x) noexcept {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "finite_bits knows float and double");
    if constexpr (sizeof(T) == 4)
        return (std::bit_cast<std::uint32_t>(x) & 0x7F80'0000U) != 0x7F80'0000U;
    else
        return (std::bit_cast<std::uint64_t>(x) & 0x7FF0'0000'0000'0000U) != 0x7FF0'0000'0000'0000U;
}

/// The lowest index among equal maxima (numerics: labels), or `no_answer` if any logit is not finite.
template <std::floating_point T>
Prediction prediction_of(std::span<const T> logits) {
    if (logits.empty() || logits.size() >= static_cast<std::size_t>(index(no_answer)))
        throw ValueError("prediction_of: a row of " + std::to_string(logits.size()) + " logits");
    std::size_t best = 0;
    for (std::size_t k = 0; k < logits.size(); ++k) {
        if (!finite_bits(logits[k])) return no_answer;
        if (logits[k] > logits[best]) best = k;
    }
    return static_cast<Prediction>(best);
}

/// The record of one image from its K >= 2 logits. Sums run in index order in double; the largest term is left out of
/// the sum and enters by log1p, so that a loss of 1e-12 is not rounded to 0. If any logit is not finite: `no_answer`,
/// margin -infinity, loss +infinity, confidence 0.
/// @throws ValueError for fewer than two logits or a label that is none of them.
template <std::floating_point T>
Outcome outcome_of(std::span<const T> logits, Label y) {
    const auto truth = static_cast<std::size_t>(index(y));
    if (logits.size() < 2 || truth >= logits.size())
        throw ValueError("outcome_of: label " + std::to_string(truth) + " with a row of " +
                         std::to_string(logits.size()) + " logits (at least 2 needed, labels count from 0)");
    const Prediction said = prediction_of(logits);
    if (said == no_answer)
        return {no_answer, -std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity(), 0.0F};
    const auto best = static_cast<std::size_t>(index(said));
    std::size_t rival = truth == 0 ? 1 : 0;
    double others = 0;  // sum of exp(z_k - z_best) over all but the best
    for (std::size_t k = 0; k < logits.size(); ++k) {
        if (k != truth && logits[k] > logits[rival]) rival = k;
        if (k != best) others += std::exp(static_cast<double>(logits[k]) - static_cast<double>(logits[best]));
    }
    const double behind = static_cast<double>(logits[best]) - static_cast<double>(logits[truth]);
    return {said, static_cast<float>(logits[truth] - logits[rival]), static_cast<float>(behind + std::log1p(others)),
            static_cast<float>(1.0 / (1.0 + others))};
}

/// The records of N images from N x K logits. @throws ValueError where labels and rows differ in number, or as above.
template <std::floating_point T>
std::vector<Outcome> outcomes_of(const xt::xtensor<T, 2>& logits, std::span<const Label> labels) {
    check_same_images("outcomes_of", "labels", labels.size(), "rows of logits", logits.shape(0));
    const std::size_t k = logits.shape(1);
    std::vector<Outcome> all(labels.size());
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i] = outcome_of(std::span<const T>(logits.data() + i * k, k), labels[i]);
    return all;
}

/// The answers to N images from N x K logits.
template <std::floating_point T>
std::vector<Prediction> predictions_of(const xt::xtensor<T, 2>& logits) {
    const std::size_t k = logits.shape(1);
    std::vector<Prediction> all(logits.shape(0));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = prediction_of(std::span<const T>(logits.data() + i * k, k));
    return all;
}

/// The answers among the records.
inline std::vector<Prediction> predictions_of(std::span<const Outcome> outcomes) {
    std::vector<Prediction> all;
    all.reserve(outcomes.size());
    for (const Outcome& o : outcomes) all.push_back(o.said);
    return all;
}

}  // namespace SKEWGRAD_NAMESPACE
