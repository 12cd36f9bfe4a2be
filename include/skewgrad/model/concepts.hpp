// What attacks, evaluation and studies ask of a model; a user's own model needs the first concept only.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/tensor.hpp>
#include <skewgrad/nn/losses.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace differentiable {

/// The element type of a model's images and logits: what its logits are made of.
template <class M>
using RealOf = typename std::remove_cvref_t<decltype(std::declval<const M&>().logits(
    std::declval<const xt::xtensor<float, 4>&>()))>::value_type;

}  // namespace differentiable

/// logits(x): N x K for images x, N x C x H x W in [0, 1]; input_gradient(x, y): the gradient of each image's own
/// cross-entropy at its label, same shape as x, in evaluation mode. All that an attack needs.
template <class M>
concept Differentiable = requires(const M& m, const xt::xtensor<float, 4>& x, std::span<const Label> y) {
    { m.logits(x) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 2>>;
    { m.input_gradient(x, y) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 4>>;
};

/// A model that keeps images in a form of its own: loaded once, gradient and sign step without leaving it.
template <class M>
concept Resident =
    Differentiable<M> &&
    requires(const M& m, typename M::Images& images, const typename M::Images& fixed,
             const xt::xtensor<typename M::Real, 4>& x, std::span<const Label> y, typename M::Workspace& own,
             std::span<typename M::Real> out, std::span<double> losses, std::span<const std::uint32_t> which) {
        { m.load(x) } -> std::same_as<typename M::Images>;
        { m.unload(fixed) } -> std::same_as<xt::xtensor<typename M::Real, 4>>;
        { m.copy(fixed) } -> std::same_as<typename M::Images>;
        { m.select(fixed, which) } -> std::same_as<typename M::Images>;
        { m.count(fixed) } -> std::convertible_to<std::size_t>;
        { m.workspace(Mode::attack, std::size_t{}) } -> std::same_as<typename M::Workspace>;
        { m.logits(fixed) } -> std::same_as<xt::xtensor<typename M::Real, 2>>;
        { m.logits(fixed, own) } -> std::same_as<xt::xtensor<typename M::Real, 2>>;
        m.logits(fixed, own, out);
        m.gradient(fixed, y, own, images, out, losses);
        m.sign_step(images, fixed, fixed, SignStep{});
    };

/// A resident model that takes some of a tensor's images, and says how many suit it at a time.
template <class M>
concept Chunked = Resident<M> && requires(const M& m, const typename M::Images& fixed,
                                          xt::xtensor<typename M::Real, 4>& x, std::span<const Label> y) {
    { M::chunk } -> std::convertible_to<std::size_t>;
    { m.load(x, std::size_t{}, std::size_t{}) } -> std::same_as<typename M::Images>;
    m.unload(fixed, x, std::size_t{});
    M::check(x, y);
};

}  // namespace SKEWGRAD_NAMESPACE
