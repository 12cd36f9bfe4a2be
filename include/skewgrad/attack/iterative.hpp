// The iterative gradient sign method: the fast step, repeated, within a ball around the image.
#pragma once
#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <type_traits>

#include <skewgrad/attack/in_parts.hpp>
#include <skewgrad/attack/scores.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/images/sign_step.hpp>

namespace SKEWGRAD_NAMESPACE {

struct Iterative {};

/// x_{t+1} = clip(project(x_t + s alpha sign(g_t))), the projection onto the epsilon-ball (L-infinity) around x
/// (Kurakin et al. 2016, BIM). With `project` off every step is a full epsilon and nothing holds it back: the paper's
/// own wording, the same perturbation a chosen number of times.
template <Direction D, Loss L>
struct Attack<Iterative, D, L> {
    static constexpr const char* name = "iterative";
    static constexpr const char* direction = D::name;
    static constexpr auto fields =
        names("epsilon", "steps", "alpha", "project", "clip", "sign_of_zero", "label", "loss");
    float epsilon = 0.01f;
    int steps = 10;
    float alpha = 0;  ///< one step; 0: epsilon / steps (epsilon itself where `project` is off)
    bool project = true;
    bool clip = true;        ///< to [0, 1]
    float sign_of_zero = 0;  ///< what sign(0) is
    LabelSource label = LabelSource::True;
    L loss{};

    /// Throws ValueError for an epsilon outside [0, 1], no steps, a step's length below 0 or not finite, a sign of zero
    /// outside [-1, 1].
    void check() const {
        attack::check_epsilon(name, epsilon);
        attack::check_at_least_one(name, "steps", steps);
        check_range(name, "alpha", alpha, {.least = 0});
        attack::check_sign_of_zero(name, sign_of_zero);
    }
    Passes passes() const {
        return {.forward = attack::Scores<HostSpace<float>, L>::passes(label).forward, .backward = steps};
    }

    template <Space S>
    struct Scratch {
        attack::Scores<S, L> scores;
        typename S::template Array<typename S::Real> dx, radius, length;
        Scratch(const Attack& a, ModelView<S>& model, int images) : scores(model, a.loss, images, a.label) {
            using Real = typename S::Real;
            const auto count = static_cast<std::size_t>(images);
            dx = S::template make<Real>(model.queue(), images::elements(model.pixels(), count));
            radius = S::template make<Real>(model.queue(), count);
            length = S::template make<Real>(model.queue(), count);
        }
        void check(const typename S::Queue& on, int count, std::size_t first) const {
            scores.check(name, on, count, first);
        }
    };
    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        using Real = typename S::Real;
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        const float one = alpha > 0 ? alpha : project ? epsilon / static_cast<float>(steps) : epsilon;
        const Real radius = project ? static_cast<Real>(epsilon) : std::numeric_limits<Real>::infinity();
        S::each(on, task.count,
                attack::Sizes<Real>{radius, static_cast<Real>(one), task.scale, own.radius.data(), own.length.data()});
        own.scores.begin(model, task);
        S::each_pixel(on, task.count, order, images::Copy<Real>{order, task.x, task.out});
        for (int t = 0; t < steps; ++t) {
            model.differentiate(task.out, task.count, task.pass, own.scores.visit(task), own.dx.data());
            S::each_pixel(on, task.count, order,
                          images::SignStep<Real>{{order, task.x, own.radius.data(), clip},
                                                 task.out,
                                                 own.dx.data(),
                                                 own.length.data(),
                                                 static_cast<Real>(D::sign),
                                                 static_cast<Real>(sign_of_zero)});
        }
    }

    /// N x C x H x W adversarial images from the source's gradients. Throws ValueError for bad shapes, pixels, labels,
    /// values; NumericalError for an image without a prediction where the gradients are taken at it.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y) const {
        return attack::adversarial_images(*this, source, x, y);
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
