// Projected gradient descent: steps in an L-infinity or L2 ball, from random starts, the best of all kept.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

#include <skewgrad/attack/best.hpp>
#include <skewgrad/attack/in_parts.hpp>
#include <skewgrad/attack/scores.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/images/l2.hpp>
#include <skewgrad/images/norms.hpp>
#include <skewgrad/images/random_start.hpp>
#include <skewgrad/images/sign_step.hpp>

namespace SKEWGRAD_NAMESPACE {

struct PGD {};

/// The norm that bounds a perturbation.
enum class Norm : std::uint8_t { linf, l2 };
inline const char* to_string(Norm norm) { return norm == Norm::linf ? "linf" : "l2"; }

/// x_{t+1} = project(x_t + s alpha d(g_t)), d(g) = sign(g) in L-infinity and g / |g|_2 in L2 (Madry et al. 2018). A
/// uniform start is drawn from the cube around the image and, in L2, projected; every restart draws its own. L2 steps
/// of a gradient below 1e-12 move nothing.
template <Direction D, Loss L>
struct Attack<PGD, D, L> {
    static constexpr const char* name = "pgd";
    static constexpr const char* direction = D::name;
    static constexpr auto fields = names("epsilon", "alpha", "steps", "restarts", "start", "start_deviation", "keep",
                                         "norm", "clip", "loss", "seed");
    float epsilon = 8 / 255.0f;
    float alpha = 2 / 255.0f;  ///< length of a step in the norm
    int steps = 20;
    int restarts = 1;
    images::Start start = images::Start::uniform;
    float start_deviation = 1e-3f;  ///< of a normal start
    Keep keep = Keep::last;         ///< of one run; with several restarts the best of their results is kept
    Norm norm = Norm::linf;
    bool clip = true;  ///< to [0, 1]
    L loss{};
    Seed seed{};  ///< of starts

    /// Throws ValueError for an epsilon below 0 (in L-infinity outside [0, 1]), a step's length below 0 or not finite,
    /// no steps or restarts, more than 65535 restarts, a deviation below 0.
    void check() const {
        if (norm == Norm::linf)
            attack::check_epsilon(name, epsilon);
        else
            check_range(name, "epsilon", epsilon, {.least = 0});
        check_range(name, "alpha", alpha, {.least = 0});
        attack::check_at_least_one(name, "steps", steps);
        attack::check_at_least_one(name, "restarts", restarts);
        if (restarts > 65535)
            throw ValueError(std::string(name) + ": restarts is " + std::to_string(restarts) +
                             ", it must be at most 65535: 16 bits number the starts");
        check_range(name, "start_deviation", start_deviation, {.least = 0});
    }
    /// Whether iterates are compared, which takes the loss of the last one too.
    bool compares() const { return keep == Keep::best || restarts > 1; }
    Passes passes() const {
        return {.forward = attack::Scores<HostSpace<float>, L>::passes(LabelSource::True).forward +
                           (compares() ? restarts : 0),
                .backward = restarts * steps};
    }

    template <Space S>
    struct Scratch {
        template <class T>
        using Array = typename S::template Array<T>;
        attack::Scores<S, L> scores;
        Array<typename S::Real> x, dx, radius, length, deviation;
        Array<double> norms;
        Array<attack::Best> best;
        Array<std::uint8_t> flags;
        Scratch(const Attack& a, ModelView<S>& model, int images) : scores(model, a.loss, images) {
            using Real = typename S::Real;
            const auto on = model.queue();
            const auto count = static_cast<std::size_t>(images);
            const std::size_t elements = images::elements(model.pixels(), count);
            dx = S::template make<Real>(on, elements);
            radius = S::template make<Real>(on, count);
            length = S::template make<Real>(on, count);
            deviation = S::template make<Real>(on, count);
            if (a.norm == Norm::l2) norms = S::template make<double>(on, count);
            if (!a.compares()) return;
            x = S::template make<Real>(on, elements);
            best = S::template make<attack::Best>(on, count);
            flags = S::template make<std::uint8_t>(on, count);
        }
    };

    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        using Real = typename S::Real;
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        const int n = task.count;
        const auto real = [](float v) { return static_cast<Real>(v); };
        S::each(on, n,
                attack::Sizes<Real>{real(epsilon), real(alpha), task.scale, own.radius.data(), own.length.data()});
        S::each(on, n,
                attack::Sizes<Real>{real(start_deviation), real(start_deviation), nullptr, own.deviation.data(),
                                    own.deviation.data()});
        own.scores.begin(model, task);
        const auto visit = own.scores.visit(task);
        const images::Ball<Real> ball{order, task.x, own.radius.data(), clip};
        Real* x = compares() ? own.x.data() : task.out;
        const auto project = [&] {
            S::fold(on, n, order, Fold::sum, images::SquaredDifference<Real>{order, x, task.x}, own.norms.data());
            S::each_pixel(on, n, order, images::ProjectL2<Real>{ball, x, own.norms.data()});
        };
        bool first = true;
        const auto compare = [&] {
            S::each(on, n,
                    attack::Better{own.scores.losses(), own.scores.correct(), D::sign, first, own.best.data(),
                                   own.flags.data()});
            S::each_pixel(on, n, order, images::Copy<Real>{order, x, task.out, own.flags.data()});
            first = false;
        };
        for (int r = 0; r < restarts; ++r) {
            if (start == images::Start::image) {
                S::each_pixel(on, n, order, images::Copy<Real>{order, task.x, x});
            } else {
                images::Ball<Real> around = ball;
                if (start == images::Start::normal) around.radius = own.deviation.data();
                S::each_pixel(on, n, order, images::RandomStart<Real>{around, x, task.draws, task.picks, r, start});
                if (norm == Norm::l2) project();
            }
            for (int t = 0; t < steps; ++t) {
                model.differentiate(x, n, task.pass, visit, own.dx.data());
                if (keep == Keep::best) compare();
                if (norm == Norm::linf) {
                    S::each_pixel(on, n, order,
                                  images::SignStep<Real>{ball, x, own.dx.data(), own.length.data(), real(D::sign), 0});
                } else {
                    S::fold(on, n, order, Fold::sum, images::SquaredDifference<Real>{order, own.dx.data(), nullptr},
                            own.norms.data());
                    S::each_pixel(on, n, order,
                                  images::NormalisedStep<Real>{order, x, own.dx.data(), own.length.data(),
                                                               own.norms.data(), real(D::sign)});
                    project();
                }
            }
            if (!compares()) continue;
            model.forward(x, n, task.pass, visit);
            compare();
        }
    }

    /// N x C x H x W adversarial images. `items` names the images (default 0 .. N - 1): starts are keyed on them, so
    /// that no result depends on how images are batched. Throws ValueError for bad shapes, pixels, labels, values.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        return attack::adversarial_images(*this, source, x, y, items);
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
