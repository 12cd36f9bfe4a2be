// The iterative gradient sign method: the fast step, repeated, within a ball around the image.
#pragma once
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/attack/attack.hpp>

namespace SKEWGRAD_NAMESPACE {

struct Iterative {};

/// x_{t+1} = clip(project(x_t + s alpha sign(g_t))), the projection onto the epsilon-ball (L-infinity) around x
/// (Kurakin et al. 2016, BIM). With `project` off every step is a full epsilon and nothing holds it back: the paper's
/// own wording, the same perturbation a chosen number of times.
template <Direction D>
struct Attack<Iterative, D> {
    static constexpr const char* name = "iterative";
    static constexpr auto fields = names("epsilon", "steps", "alpha", "project", "clip", "sign_of_zero", "label");
    float epsilon = 0.01f;
    int steps = 10;
    float alpha = 0;  ///< one step; 0: epsilon / steps (epsilon itself where `project` is off)
    bool project = true;
    bool clip = true;        ///< to [0, 1]
    float sign_of_zero = 0;  ///< what sign(0) is
    LabelSource label = LabelSource::True;

    /// Throws ValueError for an epsilon outside [0, 1], no steps, a step's length below 0 or not finite, a sign of zero
    /// outside [-1, 1].
    void check() const {
        attack::check_epsilon(name, epsilon);
        if (steps < 1) throw ValueError("iterative: steps is " + std::to_string(steps) + ", it must be at least 1");
        check_range(name, "alpha", alpha, {.least = 0});
        attack::check_sign_of_zero(name, sign_of_zero);
    }
    /// N x C x H x W adversarial images from the source's gradients. Throws ValueError for bad shapes, pixels, labels,
    /// values; NumericalError for an image without a prediction where the gradients are taken at it.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y) const {
        check();
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        attack::check_images(name, x, clip);
        attack::Handle<M> handle(source, x.shape()[0]);
        auto moved = xt::xtensor<Real, 4>::from_shape(x.shape());
        handle.in_parts(x, y, [&](const auto& part) {
            handle.unload(run(handle, part.images, part.labels, part.first), moved, part.first);
        });
        return moved;
    }
    /// The same on images in the model's own form, the first of which has the number `first` in messages.
    template <class Real, class Images>
    Images run(attack::HandleInterface<Real, Images>& handle, const std::type_identity_t<Images>& origin,
               std::span<const Label> y, std::size_t first = 0) const {
        check();
        const std::vector<Label> at = attack::gradient_labels(name, handle, origin, y, label, first);
        const float length = alpha > 0 ? alpha : project ? epsilon / static_cast<float>(steps) : epsilon;
        const SignStep one{.alpha = D::sign * length,
                           .radius = project ? epsilon : std::numeric_limits<float>::infinity(),
                           .clip = clip,
                           .at_zero = sign_of_zero};
        auto moved = handle.copy(origin);
        auto gradient = handle.copy(origin);
        for (int t = 0; t < steps; ++t) {
            handle.gradient(moved, at, gradient);
            handle.sign_step(moved, origin, gradient, one);
        }
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
