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

#include <skewgrad/attack/check_images.hpp>
#include <skewgrad/attack/handle.hpp>
#include <skewgrad/core/range.hpp>
#include <skewgrad/core/values.hpp>
#include <skewgrad/nn/prediction.hpp>

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
/// in [0, 1]. `check()` throws ValueError for values that cannot be; every call begins with it, a plan may ask before
/// it starts. So does `check(data)`, which an attack has that makes an image's perturbation of other images and may
/// lack them. All refuse pixels that are not finite, and those outside [0, 1] unless `.clip` is off.
template <class Kind, Direction D = Ascent>
struct Attack {
    static_assert(!std::same_as<D, D>, "skewgrad: no attack of this kind; its header may be missing");
};

namespace attack {

inline void check_epsilon(const char* name, float epsilon) {
    check_range(name, "epsilon", epsilon, {.least = 0, .most = 1}, " (pixels are in [0, 1])");
}
/// Beyond 1 in size a step on a zero gradient would leave the ball.
inline void check_sign_of_zero(const char* name, float sign) {
    check_range(name, "sign_of_zero", sign, {.least = -1, .most = 1});
}

inline void check_count(const char* name, std::size_t images, std::size_t given, const char* what) {
    if (images != given)
        throw ValueError(std::string(name) + ": " + std::to_string(images) + " images came with " +
                         std::to_string(given) + " " + what);
}

/// The labels at which the gradient is taken. `first` is the number of the first image, for the message.
/// @throws NumericalError where a prediction is asked for and a logit of an image is not finite: it has none.
template <class Real, class Images>
std::vector<Label> gradient_labels(const char* name, HandleInterface<Real, Images>& handle,
                                   const std::type_identity_t<Images>& x, std::span<const Label> y, LabelSource from,
                                   std::size_t first = 0) {
    std::vector<Label> at(y.begin(), y.end());
    if (from == LabelSource::True) return at;
    const xt::xtensor<Real, 2> z = handle.logits(x);
    const std::size_t classes = z.shape()[1];
    for (std::size_t n = 0; n < at.size(); ++n) {
        const Prediction predicted = prediction_of(std::span<const Real>(z.data() + n * classes, classes));
        if (predicted == no_prediction)
            throw NumericalError(std::string(name) + ": the source's logits of image " + std::to_string(first + n) +
                                 " are not finite, so that it predicts no label to take the gradient at");
        at[n] = static_cast<Label>(index(predicted));
    }
    return at;
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
