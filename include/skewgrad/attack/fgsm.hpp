// The fast gradient sign method: one gradient, one step.
#pragma once
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/attack/in_parts.hpp>
#include <skewgrad/attack/scores.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/images/sign_step.hpp>

namespace SKEWGRAD_NAMESPACE {

struct FGSM {};

/// x' = clip(x + s epsilon sign(g)), g the gradient of the loss at the label (Goodfellow et al. 2014; the paper's
/// equations 1 and 2). s is +1 for Ascent, -1 for Descent (towards the label given: a targeted attack).
template <Direction D, Loss L>
struct Attack<FGSM, D, L> {
    static constexpr const char* name = "fgsm";
    static constexpr const char* direction = D::name;
    /// A study measures smallest epsilons and sweeps along an attack that says so, by its `gradient` and `step`.
    static constexpr bool has_direction = std::is_same_v<D, Ascent>;
    static constexpr auto fields = names("epsilon", "clip", "sign_of_zero", "label", "loss");
    float epsilon = 0.01f;
    bool clip = true;        ///< to [0, 1]
    float sign_of_zero = 0;  ///< what sign(0) is
    LabelSource label = LabelSource::True;
    L loss{};

    /// Throws ValueError for an epsilon outside [0, 1] or a sign of zero outside [-1, 1].
    void check() const { check_with(epsilon); }
    Passes passes() const { return {.forward = Score<HostSpace<float>>::passes(label).forward, .backward = 1}; }
    /// Whether a gradient of the cross-entropy at the labels, where one is known (Task::gradient), is the attack's own.
    bool takes_gradient() const { return std::is_same_v<L, CrossEntropy> && label == LabelSource::True; }

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
        step(model, task, gradient(model, task, own), epsilon, own);
    }
    /// The gradient of the loss at the task's images.
    template <Space S>
    const typename S::Real* gradient(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        if (task.gradient && takes_gradient()) return task.gradient;
        own.scores.begin(model, task);
        model.differentiate(task.x, task.count, task.pass, own.scores.visit(task), own.dx.data());
        return own.dx.data();
    }
    /// The step alone, of any epsilon, from a gradient that is known.
    template <Space S>
    void step(ModelView<S>& model, const Task<S>& task, const typename S::Real* gradient, float e,
              Scratch<S>& own) const {
        using Real = typename S::Real;
        check_with(e);
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        constexpr Real anywhere = std::numeric_limits<Real>::infinity();
        S::each(on, task.count,
                attack::Sizes<Real>{anywhere, static_cast<Real>(e), task.scale, own.radius.data(), own.length.data()});
        S::each_pixel(on, task.count, order, images::Copy<Real>{order, task.x, task.out});
        S::each_pixel(on, task.count, order,
                      images::SignStep<Real>{{order, task.x, own.radius.data(), clip},
                                             task.out,
                                             gradient,
                                             own.length.data(),
                                             static_cast<Real>(D::sign),
                                             static_cast<Real>(sign_of_zero)});
    }

    /// N x C x H x W adversarial images from the source's gradient. Throws ValueError for bad shapes, pixels, labels,
    /// values; NumericalError for an image without a prediction where the gradient is taken at it.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y) const {
        return attack::adversarial_images(*this, source, x, y);
    }
    /// The same for a list of epsilons, at the cost of one gradient: one set of images an epsilon.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    std::vector<xt::xtensor<Real, 4>> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                                 std::span<const Label> y, std::span<const float> epsilons) const {
        using S = SpaceOf<M>;
        for (const float e : epsilons) check_with(e);
        attack::check_call<Attack, M>(*this, x, y, {});
        std::vector<xt::xtensor<Real, 4>> all;
        for (std::size_t i = 0; i < epsilons.size(); ++i) all.push_back(xt::xtensor<Real, 4>::from_shape(x.shape()));
        if (x.shape()[0] == 0) return all;
        View<M> model(source, attack::shape_of(x), x.shape()[0]);
        Scratch<S> own(*this, model, attack::part_size<S>(model, x.shape()[0]));
        attack::in_parts<S>(model, x, y, {}, {}, [&](const Task<S>& task, std::size_t first) {
            const Real* g = gradient<S>(model, task, own);
            own.check(model.queue(), task.count, first);
            for (std::size_t i = 0; i < epsilons.size(); ++i) {
                step<S>(model, task, g, epsilons[i], own);
                attack::unload_part<S>(model, task.out, task.count, all[i], first);
            }
        });
        return all;
    }
    friend bool operator==(const Attack&, const Attack&) = default;

private:
    template <Space S>
    using Score = attack::Scores<S, L>;
    void check_with(float e) const {
        attack::check_epsilon(name, e);
        attack::check_sign_of_zero(name, sign_of_zero);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
