// Logit adjustment: corrects the decision threshold of a network trained on a skewed set, after training.
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/error.hpp>
#include <skewgrad/model/logit_adjusted.hpp>
#include <skewgrad/model/model.hpp>

namespace SKEWGRAD_NAMESPACE {

/// log((1/K) / (n_k/n)) for class counts n_k. Added to the logits, it compensates for the class frequencies (Menon et
/// al. 2021, "Long-tail learning via logit adjustment", with tau = 1). Throws ValueError for a class without images.
inline std::vector<double> logit_offsets(std::span<const int> counts) {
    double all = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (counts[k] < 1)
            throw ValueError("logit adjustment: class " + std::to_string(k) + " has " + std::to_string(counts[k]) +
                             " training images");
        all += counts[k];
    }
    std::vector<double> offsets;
    for (const int n : counts) offsets.push_back(std::log(all / (static_cast<double>(counts.size()) * n)));
    return offsets;
}

/// Adds an offset to each of the biases that a network's values end in, rounding the sums once. Throws ValueError
/// unless there is one offset a class.
template <class Real>
void add_to_biases(std::span<Real> biases, std::span<const double> offsets) {
    if (offsets.size() != biases.size())
        throw ValueError("logit adjustment: " + std::to_string(offsets.size()) + " offsets for " +
                         std::to_string(biases.size()) + " logits");
    for (std::size_t k = 0; k < biases.size(); ++k)
        biases[k] = static_cast<Real>(static_cast<double>(biases[k]) + offsets[k]);
}

/// The model with a constant added to each logit, as a model of the same type: the constants are added to the biases
/// that the network ends in. Throws as `add_to_biases` does.
template <ANetwork N, Backend B>
    requires(N::nodes.back().ends_in_biases)
Model<N, B> with_adjusted_logits(const Model<N, B>& model, std::span<const double> offsets) {
    constexpr auto classes = static_cast<std::size_t>(N::classes);
    auto values = model.parameters();
    const NodePlan& last = N::nodes.back();
    add_to_biases(std::span(values).subspan(last.parameter_offset + last.parameter_size - classes, classes), offsets);
    Model<N, B> adjusted(model.seed(), model.context());
    adjusted.set_parameters(values);
    return adjusted;
}
/// Logit adjustment for a user's own learner that trains LogitAdjusted models.
template <Differentiable M>
LogitAdjusted<M> with_adjusted_logits(const LogitAdjusted<M>& model, std::span<const double> offsets) {
    return {model.model(), {offsets.begin(), offsets.end()}};
}

template <class M>
concept LogitAdjustable = requires(const M& m, std::span<const double> offsets) {
    { with_adjusted_logits(m, offsets) } -> std::same_as<M>;
};

}  // namespace SKEWGRAD_NAMESPACE
