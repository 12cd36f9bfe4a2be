// What evaluation, attacks and studies ask of a model; a user's own model needs two functions.
#pragma once
#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/tensor.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace differentiable {

/// The element type of a model's images and logits: that of its logits.
template <class M>
using RealOf = typename std::remove_cvref_t<decltype(std::declval<const M&>().logits(
    std::declval<const xt::xtensor<float, 4>&>()))>::value_type;

}  // namespace differentiable

/// logits(x): N x K for images x, N x C x H x W in [0, 1], in evaluation mode. All that evaluation needs.
template <class M>
concept Classifier = requires(const M& m, const xt::xtensor<float, 4>& x) {
    { m.logits(x) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 2>>;
};

/// And pull_back(x, dz): the gradient of sum_k dz_k z_k at each image, same shape as x, for dz N x K: a vector-Jacobian
/// product, in evaluation mode. All that any attack needs.
template <class M>
concept PullsBack = Classifier<M> && requires(const M& m, const xt::xtensor<differentiable::RealOf<M>, 4>& x,
                                              const xt::xtensor<differentiable::RealOf<M>, 2>& dz) {
    { m.pull_back(x, dz) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 4>>;
};

/// Or only input_gradient(x, y): the gradient of each image's own cross-entropy at its label, same shape as x, in
/// evaluation mode. Losses whose gradients at the logits sum to 0 can be attacked through it, at up to K gradients a
/// pass (model/cross_entropy_gradient.hpp).
template <class M>
concept HasInputGradient = Classifier<M> && requires(const M& m, const xt::xtensor<differentiable::RealOf<M>, 4>& x,
                                                     std::span<const Label> y) {
    { m.input_gradient(x, y) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 4>>;
};

/// A model that can be attacked.
template <class M>
concept Differentiable = PullsBack<M> || HasInputGradient<M>;

}  // namespace SKEWGRAD_NAMESPACE
