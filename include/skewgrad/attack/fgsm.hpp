// The fast gradient sign method: one gradient, one step.
#pragma once
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/attack/attack.hpp>

namespace SKEWGRAD_NAMESPACE {

struct FGSM {};

/// x' = clip(x + s epsilon sign(g)), g the gradient of the cross-entropy at the label (Goodfellow et al. 2014; the
/// paper's equations 1 and 2). s is +1 for Ascent, -1 for Descent (towards the label given: a targeted attack).
template <Direction D>
struct Attack<FGSM, D> {
    static constexpr const char* name = "fgsm";
    static constexpr auto fields = names("epsilon", "clip", "sign_of_zero", "label");
    float epsilon = 0.01f;
    bool clip = true;        ///< to [0, 1]
    float sign_of_zero = 0;  ///< what sign(0) is
    LabelSource label = LabelSource::True;

    /// Throws ValueError for an epsilon outside [0, 1] or a sign of zero outside [-1, 1].
    void check() const { check_with(epsilon); }
    /// N x C x H x W adversarial images from the source's gradient. Throws ValueError for bad shapes, pixels, labels,
    /// values; NumericalError for an image without a prediction where the gradient is taken at it.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y) const {
        const float one[] = {epsilon};
        return std::move((*this)(source, x, y, one)[0]);
    }
    /// The same for a list of epsilons, at the cost of one gradient: one set of images an epsilon.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    std::vector<xt::xtensor<Real, 4>> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                                 std::span<const Label> y, std::span<const float> epsilons) const {
        for (const float e : epsilons) check_with(e);
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        attack::check_images(name, x, clip);
        attack::Handle<M> handle(source, x.shape()[0]);
        std::vector<xt::xtensor<Real, 4>> all;
        for (std::size_t i = 0; i < epsilons.size(); ++i) all.push_back(xt::xtensor<Real, 4>::from_shape(x.shape()));
        handle.in_parts(x, y, [&](const auto& part) {
            auto gradient = handle.copy(part.images);
            handle.gradient(part.images, labels_at(handle, part.images, part.labels, part.first), gradient);
            for (std::size_t i = 0; i < epsilons.size(); ++i)
                handle.unload(step(handle, part.images, gradient, epsilons[i]), all[i], part.first);
        });
        return all;
    }
    /// Where the gradient is taken: at the labels given, or at those that the source predicts.
    template <class Real, class Images>
    std::vector<Label> labels_at(attack::HandleInterface<Real, Images>& handle,
                                 const std::type_identity_t<Images>& origin, std::span<const Label> y,
                                 std::size_t first = 0) const {
        return attack::gradient_labels(name, handle, origin, y, label, first);
    }
    /// The step alone, from a gradient that is at hand, in the model's own form.
    template <class Real, class Images>
    Images step(const attack::HandleInterface<Real, Images>& handle, const std::type_identity_t<Images>& origin,
                const std::type_identity_t<Images>& gradient, float e) const {
        check_with(e);
        auto moved = handle.copy(origin);
        handle.sign_step(moved, origin, gradient,
                         SignStep{.alpha = D::sign * e, .clip = clip, .at_zero = sign_of_zero});
        return moved;
    }
    friend bool operator==(const Attack&, const Attack&) = default;

private:
    void check_with(float e) const {
        attack::check_epsilon(name, e);
        attack::check_sign_of_zero(name, sign_of_zero);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
