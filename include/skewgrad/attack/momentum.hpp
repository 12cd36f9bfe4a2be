// MI-FGSM: sign steps along a moving sum of normalised gradients, which transfers better between networks.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include <skewgrad/attack/in_parts.hpp>
#include <skewgrad/attack/scores.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/images/momentum.hpp>
#include <skewgrad/images/norms.hpp>
#include <skewgrad/images/sign_step.hpp>

namespace SKEWGRAD_NAMESPACE {

struct Momentum {};

/// m_{t+1} = mu m_t + g_t / |g_t|_1, x_{t+1} = clip(project(x_t + s alpha sign(m_{t+1}))) (Dong et al. 2018,
/// algorithm 1), from the image itself.
template <Direction D, Loss L>
struct Attack<Momentum, D, L> {
    static constexpr const char* name = "momentum";
    static constexpr const char* direction = D::name;
    static constexpr auto fields = names("epsilon", "steps", "alpha", "mu", "clip", "loss");
    float epsilon = 8 / 255.0f;
    int steps = 10;
    float alpha = 0;   ///< one step; 0: epsilon / steps
    float mu = 1;      ///< decay of the moving sum
    bool clip = true;  ///< to [0, 1]
    L loss{};

    /// Throws ValueError for an epsilon outside [0, 1], no steps, a step's length or a decay below 0 or not finite.
    void check() const {
        attack::check_epsilon(name, epsilon);
        attack::check_at_least_one(name, "steps", steps);
        check_range(name, "alpha", alpha, {.least = 0});
        check_range(name, "mu", mu, {.least = 0});
    }
    Passes passes() const {
        return {.forward = attack::Scores<HostSpace<float>, L>::passes(LabelSource::True).forward, .backward = steps};
    }

    template <Space S>
    struct Scratch {
        attack::Scores<S, L> scores;
        typename S::template Array<typename S::Real> dx, m, radius, length;
        typename S::template Array<double> norms;
        Scratch(const Attack& a, ModelView<S>& model, int images) : scores(model, a.loss, images) {
            using Real = typename S::Real;
            const auto on = model.queue();
            const auto count = static_cast<std::size_t>(images);
            dx = S::template make<Real>(on, images::elements(model.pixels(), count));
            m = S::template make<Real>(on, images::elements(model.pixels(), count));
            radius = S::template make<Real>(on, count);
            length = S::template make<Real>(on, count);
            norms = S::template make<double>(on, count);
        }
    };
    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        using Real = typename S::Real;
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        const int n = task.count;
        const float one = alpha > 0 ? alpha : epsilon / static_cast<float>(steps);
        S::each(on, n,
                attack::Sizes<Real>{static_cast<Real>(epsilon), static_cast<Real>(one), task.scale, own.radius.data(),
                                    own.length.data()});
        own.scores.begin(model, task);
        S::each_pixel(on, n, order, images::Copy<Real>{order, task.x, task.out});
        for (int t = 0; t < steps; ++t) {
            model.differentiate(task.out, n, task.pass, own.scores.visit(task), own.dx.data());
            S::fold(on, n, order, Fold::sum, images::AbsoluteDifference<Real>{order, own.dx.data(), nullptr},
                    own.norms.data());
            S::each_pixel(on, n, order,
                          images::Momentum<Real>{order, own.m.data(), own.dx.data(), own.norms.data(),
                                                 t > 0 ? static_cast<Real>(mu) : Real(0)});
            S::each_pixel(on, n, order,
                          images::SignStep<Real>{{order, task.x, own.radius.data(), clip},
                                                 task.out,
                                                 own.m.data(),
                                                 own.length.data(),
                                                 static_cast<Real>(D::sign),
                                                 0});
        }
    }

    /// N x C x H x W adversarial images. Throws ValueError for bad shapes, pixels, labels, values.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y) const {
        return attack::adversarial_images(*this, source, x, y);
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
