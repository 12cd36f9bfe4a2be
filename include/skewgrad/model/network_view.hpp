// A network's passes behind the views: one type a backend, and one a backend and optimiser, whatever the network.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/model/view.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Images that a workspace for evaluation and attacks holds; larger inputs run in blocks of it. A backend may say how
/// many suit it.
template <Backend B>
inline constexpr int images_of_workspace = [] {
    if constexpr (requires { B::workspace_images; })
        return static_cast<int>(B::workspace_images);
    else
        return 64;
}();

/// The workspaces of one plan on one context, made when they are first needed and kept: for few images a fresh one
/// would cost more than a pass. Views that share them take turns.
template <Backend B>
class Workspaces {
    using P = typename B::Operations;

public:
    /// For passes over any number of images, as a rule `images`.
    typename P::Workspace& of(typename P::Context& on, const typename P::Plan& plan, Mode mode, int images) {
        return of_at_least(on, plan, mode == Mode::evaluate ? for_logits_ : for_gradients_, mode,
                           std::clamp(images, 1, images_of_workspace<B>));
    }
    /// For passes that must take `images`, views counted, at once.
    typename P::Workspace& whole(typename P::Context& on, const typename P::Plan& plan, int images) {
        return of_at_least(on, plan, for_batches_, Mode::train, images);
    }

private:
    struct Kept {
        std::unique_ptr<typename P::Workspace> workspace;
        int images = 0;
    };
    static typename P::Workspace& of_at_least(typename P::Context& on, const typename P::Plan& plan, Kept& kept,
                                              Mode mode, int images) {
        if (!kept.workspace || kept.images < images)
            kept = {std::make_unique<typename P::Workspace>(P::make_workspace(on, plan, mode, images)), images};
        return *kept.workspace;
    }

    Kept for_logits_, for_gradients_, for_batches_;
};

/// A network to be evaluated and attacked. What it refers to must outlive it. `images`: how many a pass is asked for,
/// as a rule. `whole`: how many, views counted, a pass that must take them at once has room for before it asks for
/// more.
template <Backend B>
class NetworkView : public ModelView<typename B::Operations::SpaceType> {
public:
    using P = typename B::Operations;
    using S = typename P::SpaceType;
    using Real = typename S::Real;

    NetworkView(typename P::Context& on, const typename P::Plan& plan, const typename P::Parameters& parameters,
                std::size_t images, std::shared_ptr<Workspaces<B>> own = std::make_shared<Workspaces<B>>(),
                int whole = 0)
        : on_(on),
          plan_(plan),
          parameters_(parameters),
          images_(static_cast<int>(std::min<std::size_t>(images, static_cast<std::size_t>(images_of_workspace<B>)))),
          own_(std::move(own)),
          whole_(whole) {}

    typename S::Queue queue() const override { return P::queue(on_); }
    PixelOrder pixels() const override { return P::pixels(plan_); }
    int classes() override { return P::classes(plan_); }
    int images_at_a_time() const override { return images_of_workspace<B>; }
    void forward(const Real* x, int count, const Pass& pass, Visit<S> visit) override {
        P::forward(on_, plan_, parameters_, x, count, workspace(Mode::evaluate, count, pass), pass, visit);
    }
    void differentiate(const Real* x, int count, const Pass& pass, Visit<S> visit, Real* dx) override {
        P::differentiate(on_, plan_, parameters_, x, count, workspace(Mode::attack, count, pass), pass, visit, dx);
    }

private:
    typename P::Workspace& workspace(Mode mode, int count, const Pass& pass) {
        return P::needs_whole(plan_, pass) ? own_->whole(on_, plan_, std::max(count * pass.views, whole_))
                                           : own_->of(on_, plan_, mode, images_);
    }

    typename P::Context& on_;
    const typename P::Plan& plan_;
    const typename P::Parameters& parameters_;
    int images_;
    std::shared_ptr<Workspaces<B>> own_;
    int whole_;
};

/// A network in training. Passes without parameters' gradients, an attack's, have workspaces of their own, which stay
/// where they are: recorded steps refer to them.
template <Backend B, Optimiser O>
class NetworkInTraining final : public TrainingView<typename B::Operations::SpaceType> {
public:
    using P = typename B::Operations;
    using S = typename P::SpaceType;
    using Real = typename S::Real;
    using Step = std::remove_cvref_t<decltype(std::declval<const O&>().template at<Real>(0))>;
    static_assert(std::is_trivially_copyable_v<Step>, "skewgrad: an optimiser's step must be trivially copyable");

    /// `most`: images of a block with all its views.
    NetworkInTraining(typename P::Context& on, const typename P::Plan& plan, typename P::Parameters& parameters,
                      const O& optimiser, int most)
        : on_(on),
          plan_(plan),
          parameters_(parameters),
          training_(P::make_training(on, plan, optimiser)),
          own_(P::make_workspace(on, plan, Mode::train, most)),
          attacked_(on, plan, parameters, static_cast<std::size_t>(most), std::make_shared<Workspaces<B>>(), most) {}

    typename P::template Training<O>& training() { return training_; }
    const typename P::template Training<O>& training() const { return training_; }

    typename S::Queue queue() const override { return P::queue(on_); }
    PixelOrder pixels() const override { return P::pixels(plan_); }
    int classes() override { return P::classes(plan_); }
    int images_at_a_time() const override { return attacked_.images_at_a_time(); }
    void forward(const Real* x, int count, const Pass& pass, Visit<S> visit) override {
        attacked_.forward(x, count, pass, visit);
    }
    void differentiate(const Real* x, int count, const Pass& pass, Visit<S> visit, Real* dx) override {
        attacked_.differentiate(x, count, pass, visit, dx);
    }
    int images_at_a_time(const Pass& pass, int count) const override { return P::images_at_a_time(plan_, pass, count); }
    void train(const Real* x, int count, const Pass& pass, Visit<S> visit) override {
        P::differentiate(on_, plan_, parameters_, x, count, own_, pass, visit, nullptr, training_);
    }
    std::size_t input_bytes() const override { return sizeof(Step); }
    void input(std::uint64_t updates, std::byte* to) const override {
        const Step step = training_.optimiser.template at<Real>(updates);
        std::memcpy(to, &step, sizeof step);
    }
    void update(const std::byte* input, const StepState* state) override {
        P::update(on_, plan_, parameters_, training_, reinterpret_cast<const Step*>(input), state);
    }

private:
    typename P::Context& on_;
    const typename P::Plan& plan_;
    typename P::Parameters& parameters_;
    typename P::template Training<O> training_;
    typename P::Workspace own_;
    NetworkView<B> attacked_;
};

}  // namespace SKEWGRAD_NAMESPACE
