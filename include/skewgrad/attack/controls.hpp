// Controls: perturbations of an attack's size whose direction owes nothing to the image's own gradient.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <skewgrad/attack/derangement.hpp>
#include <skewgrad/attack/in_parts.hpp>
#include <skewgrad/attack/scores.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/images/copies.hpp>
#include <skewgrad/images/random_signs.hpp>
#include <skewgrad/images/sign_step.hpp>

namespace SKEWGRAD_NAMESPACE {

struct RandomSign {};
struct PermutedSign {};

namespace attack {

/// Steps of one length along given directions, held back by nothing but [0, 1].
template <Space S>
struct OneStep {
    using Real = typename S::Real;
    typename S::template Array<Real> radius, length;

    OneStep(const typename S::Queue& on, std::size_t images)
        : radius(S::template make<Real>(on, images)), length(S::template make<Real>(on, images)) {}
    void run(ModelView<S>& model, const Task<S>& task, const Real* direction, float epsilon, float sign, bool clip,
             float at_zero) {
        const auto on = model.queue();
        const PixelOrder order = model.pixels();
        S::each(on, task.count,
                Sizes<Real>{std::numeric_limits<Real>::infinity(), static_cast<Real>(epsilon), task.scale,
                            radius.data(), length.data()});
        S::each_pixel(on, task.count, order, images::Copy<Real>{order, task.x, task.out});
        S::each_pixel(on, task.count, order,
                      images::SignStep<Real>{{order, task.x, radius.data(), clip},
                                             task.out,
                                             direction,
                                             length.data(),
                                             static_cast<Real>(sign),
                                             static_cast<Real>(at_zero)});
    }
};

}  // namespace attack

/// x' = clip(x + epsilon u), u uniform in {-1, +1}: white noise of the attack's size. The model is not asked anything.
template <Direction D, Loss L>
struct Attack<RandomSign, D, L> {
    static constexpr const char* name = "random_sign";
    static constexpr const char* direction = D::name;
    static constexpr auto fields = names("epsilon", "clip", "seed", "sample");
    static constexpr bool uses_model = false;  ///< the same images whatever the source
    float epsilon = 0.01f;
    bool clip = true;
    Seed seed{};
    std::uint32_t sample = 0;  ///< which of several draws, below 2^24

    /// Throws ValueError for an epsilon outside [0, 1] or a sample beyond those that a stream tells apart.
    void check() const {
        attack::check_epsilon(name, epsilon);
        if (sample >= 1u << 24)
            throw ValueError("random_sign: sample is " + std::to_string(sample) + ", it must be below 2^24");
    }
    Passes passes() const { return {}; }

    template <Space S>
    struct Scratch {
        typename S::template Array<typename S::Real> canonical, signs;
        typename S::template Array<DrawKeys> draws;
        attack::OneStep<S> step;
        Scratch(const Attack& a, ModelView<S>& model, int images)
            : step(model.queue(), static_cast<std::size_t>(images)) {
            using Real = typename S::Real;
            const auto on = model.queue();
            const std::size_t elements = images::elements(model.pixels(), static_cast<std::size_t>(images));
            canonical = S::template make<Real>(on, elements);
            signs = S::template make<Real>(on, elements);
            draws = S::template make<DrawKeys>(on, 1);
            const DrawKeys one{a.seed, a.sample};
            S::template put<DrawKeys>(on, {&one, 1}, draws);
        }
    };
    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        using Real = typename S::Real;
        const auto on = model.queue();
        const PixelOrder order = model.pixels(), planar{order.shape, false};
        S::each_pixel(on, task.count, planar,
                      images::RandomSigns<Real>{planar, own.draws.data(), task.picks, own.canonical.data()});
        S::each_position(on, task.count, order,
                         images::FromCanonical<Real, Real>{order, own.canonical.data(), own.signs.data()});
        own.step.run(model, task, own.signs.data(), epsilon, D::sign, clip, 0);
    }

    /// `items` names the images (default 0 .. N-1), so that their noise does not depend on how they are batched.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        return attack::adversarial_images(*this, source, x, y, items);
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

/// x' = clip(x + s epsilon sign(g of another image of the same class)): a seeded derangement of the signs, which have
/// the attack's spectrum where white noise has not. The other image is no copy of the image: the control would be the
/// attack. A class whose images are too much alike for that is refused.
template <Direction D, Loss L>
struct Attack<PermutedSign, D, L> {
    static constexpr const char* name = "permuted_sign";
    static constexpr const char* direction = D::name;
    static constexpr auto fields = names("epsilon", "clip", "sign_of_zero", "seed", "loss");
    float epsilon = 0.01f;
    bool clip = true;
    float sign_of_zero = 0;
    Seed seed{};
    L loss{};

    /// Throws ValueError for an epsilon outside [0, 1] or a sign of zero outside [-1, 1].
    void check() const {
        attack::check_epsilon(name, epsilon);
        attack::check_sign_of_zero(name, sign_of_zero);
    }
    /// The same, and for a class of these images that has one only, or too many copies of one.
    template <Split S>
    void check(const Subset<S>& images) const {
        check();
        const std::vector<Label> y = images.labels();
        attack::derangement(y, seed, images.items(), attack::copies(y, [&](std::uint32_t i, std::uint32_t j) {
                                const auto a = images.bytes(i), b = images.bytes(j);
                                return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
                            }));
    }
    Passes passes() const {
        return {.forward = attack::Scores<HostSpace<float>, L>::passes(LabelSource::True).forward, .backward = 1};
    }
    /// Whether a gradient of the cross-entropy at the labels, where one is known (Task::gradient), is what is permuted.
    bool takes_gradient() const { return std::is_same_v<L, CrossEntropy>; }

    template <Space S>
    struct Scratch {
        attack::Scores<S, L> scores;
        typename S::template Array<typename S::Real> dx, lent;
        typename S::template Array<std::uint32_t> lenders;
        attack::OneStep<S> step;
        Scratch(const Attack& a, ModelView<S>& model, int images)
            : scores(model, a.loss, images), step(model.queue(), static_cast<std::size_t>(images)) {
            using Real = typename S::Real;
            const auto on = model.queue();
            const std::size_t elements = images::elements(model.pixels(), static_cast<std::size_t>(images));
            dx = S::template make<Real>(on, elements);
            lent = S::template make<Real>(on, elements);
            lenders = S::template make<std::uint32_t>(on, static_cast<std::size_t>(images));
        }
        /// Which image lends each of the task's images its gradient, by position in the task; before `run`.
        void lend(const typename S::Queue& on, std::span<const std::uint32_t> positions) {
            S::template put<std::uint32_t>(on, positions, lenders);
        }
    };
    /// All images that lend each other gradients are in one task.
    template <Space S>
    void run(ModelView<S>& model, const Task<S>& task, Scratch<S>& own) const {
        using Real = typename S::Real;
        const PixelOrder order = model.pixels();
        const Real* gradient = task.gradient;
        if (!gradient || !takes_gradient()) {
            own.scores.begin(model, task);
            model.differentiate(task.x, task.count, task.pass, own.scores.visit(task), own.dx.data());
            gradient = own.dx.data();
        }
        S::each_pixel(model.queue(), task.count, order,
                      images::Select<Real>{order, gradient, own.lenders.data(), own.lent.data()});
        own.step.run(model, task, own.lent.data(), epsilon, D::sign, clip, sign_of_zero);
    }

    /// `items` names the images (default 0 .. N-1), so that who lends to whom does not depend on their order.
    template <Differentiable M, class Real = differentiable::RealOf<M>>
    xt::xtensor<Real, 4> operator()(const M& source, const std::type_identity_t<xt::xtensor<Real, 4>>& x,
                                    std::span<const Label> y, std::span<const std::uint32_t> items = {}) const {
        using S = SpaceOf<M>;
        const std::vector<std::uint32_t> from = lenders(x, y, items);
        View<M>::check(x, y);
        auto moved = xt::xtensor<Real, 4>::from_shape(x.shape());
        const std::size_t count = x.shape()[0];
        if (count == 0) return moved;
        View<M> model(source, attack::shape_of(x), count);
        Scratch<S> own(*this, model, static_cast<int>(count));
        own.lend(model.queue(), from);
        attack::TaskMemory<S> memory(model.queue(), model.pixels(), count, seed);
        const Task<S> task = memory.load(std::span<const Real>(x.data(), x.size()), y, items, 0);
        run<S>(model, task, own);
        attack::unload_part<S>(model, task.out, task.count, moved, 0);
        return moved;
    }
    /// The position of the image that lends each image its gradient. Throws ValueError as `check` and for bad pixels.
    template <class Real>
    std::vector<std::uint32_t> lenders(const xt::xtensor<Real, 4>& x, std::span<const Label> y,
                                       std::span<const std::uint32_t> items = {}) const {
        check();
        attack::check_count(name, x.shape()[0], y.size(), "labels");
        if (!items.empty()) attack::check_count(name, x.shape()[0], items.size(), "items");
        attack::check_images(name, x, clip);
        const std::size_t pixels = y.empty() ? 0 : x.size() / y.size();
        return attack::derangement(y, seed, items, attack::copies(y, [&](std::uint32_t i, std::uint32_t j) {
                                       const Real *a = x.data() + i * pixels, *b = x.data() + j * pixels;
                                       return std::lexicographical_compare(a, a + pixels, b, b + pixels);
                                   }));
    }
    friend bool operator==(const Attack&, const Attack&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
