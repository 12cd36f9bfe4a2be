// Attack<Kind, Direction, Loss>: the tags that name an attack's structure, and the checks that attacks share.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include <skewgrad/attack/check_images.hpp>
#include <skewgrad/core/range.hpp>
#include <skewgrad/core/values.hpp>
#include <skewgrad/model/task.hpp>
#include <skewgrad/model/view_of.hpp>
#include <skewgrad/nn/losses.hpp>

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

/// Kinds: FGSM, Iterative, PGD, Momentum, RandomSign, PermutedSign. Each `Attack<Kind, Direction, Loss>` is an
/// aggregate of its own, whose `fields` name its values (core/values.hpp): `Attack<FGSM, Ascent>{.epsilon = 0.01f}`.
/// Epsilon is in units of pixels in [0, 1]. `check()` throws ValueError for values that cannot be; every call begins
/// with it, a plan may ask before it starts. So does `check(data)`, which an attack has that makes an image's
/// perturbation of other images and may lack them. All refuse pixels that are not finite, and those outside [0, 1]
/// unless `.clip` is off. `attack(model, x, y)` gives adversarial images of any model; `run` (model/task.hpp) works in
/// a space.
template <class Kind, Direction D = Ascent, Loss L = CrossEntropy>
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
inline void check_at_least_one(const char* name, const char* what, int value) {
    if (value < 1)
        throw ValueError(std::string(name) + ": " + what + " is " + std::to_string(value) + ", it must be at least 1");
}

inline void check_count(const char* name, std::size_t images, std::size_t given, const char* what) {
    if (images != given)
        throw ValueError(std::string(name) + ": " + std::to_string(images) + " images came with " +
                         std::to_string(given) + " " + what);
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
