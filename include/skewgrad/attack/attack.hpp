// Attack<Kind, Direction>: what every gradient-sign attack shares, and the tags that name its two choices.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/attack/handle.hpp>
#include <skewgrad/core/values.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Up the loss at the given label (away from it), or down (towards it).
struct Ascent {
    static constexpr const char* name = "ascent";
    static constexpr float sign = 1;
};
struct Descent {
    static constexpr const char* name = "descent";
    static constexpr float sign = -1;
};
template <class D>
concept Direction = requires {
    { D::sign } -> std::convertible_to<float>;
    { D::name } -> std::convertible_to<const char*>;
};

/// Which label a gradient is taken at: the image's own, or the one that the source predicts (ART's default).
enum class LabelSource : std::uint8_t { True, Predicted };
inline const char* to_string(LabelSource from) { return from == LabelSource::True ? "true" : "predicted"; }

/// Kinds: FGSM, Iterative, RandomSign, PermutedSign. Each `Attack<Kind, Direction>` is an aggregate of its own, whose
/// `fields` name its values (core/values.hpp): `Attack<FGSM, Ascent>{.epsilon = 0.01f}`. Epsilon is in units of pixels
/// in [0, 1].
template <class Kind, Direction D = Ascent>
struct Attack {
    static_assert(!std::same_as<D, D>, "skewgrad: no attack of this kind; its header may be missing");
};

namespace attack {

inline void check_epsilon(const char* name, float epsilon) {
    if (!(epsilon >= 0) || epsilon > 1)
        throw ValueError(std::string(name) + ": epsilon is " + std::to_string(epsilon) +
                         ", it must lie in [0, 1] (pixels are in [0, 1])");
}

inline void check_count(const char* name, std::size_t images, std::size_t given, const char* what) {
    if (images != given)
        throw ValueError(std::string(name) + ": " + std::to_string(images) + " images came with " +
                         std::to_string(given) + " " + what);
}

/// The labels at which the gradient is taken.
template <class Real, class Images>
std::vector<Label> gradient_labels(AnyHandle<Real, Images>& handle, const std::type_identity_t<Images>& x,
                                   std::span<const Label> y, LabelSource from) {
    if (from == LabelSource::Predicted) return labels_said(handle.logits(x));
    return {y.begin(), y.end()};
}

}  // namespace attack

/// An attack makes images out of images: attack(source, x, y) with x N x C x H x W and y one label an image.
template <class A, class M>
concept AttackOn =
    Differentiable<M> && requires(const A& a, const M& m, const xt::xtensor<float, 4>& x, std::span<const Label> y) {
        { a(m, x, y) } -> std::convertible_to<xt::xtensor<differentiable::RealOf<M>, 4>>;
        { A::name } -> std::convertible_to<const char*>;
    };

}  // namespace SKEWGRAD_NAMESPACE
