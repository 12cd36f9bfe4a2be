// A trainer: an optimiser and a recipe, applied to a model and data until the recipe says stop.
#pragma once
#include <span>
#include <utility>

#include <skewgrad/train/session.hpp>

namespace SKEWGRAD_NAMESPACE {

/// `Trainer trainer{RmsProp{.learning_rate = 1e-4f}, Recipe{.batch = 32}};`
/// A loss and a perturbation may follow: `Trainer{Sgd{}, Recipe{}, CrossEntropy{}, Adversarial{Attack<PGD>{}}}`.
template <Optimiser O, Loss L = CrossEntropy, class P = Unperturbed>
struct Trainer {
    O optimiser{};
    Recipe recipe{};
    L loss{};
    P perturbation{};

    /// A session that the caller advances; its draws are keyed on the model's seed.
    template <ANetwork N, Backend B>
    Session<N, B, O, L, P> session(Model<N, B>& model, const TrainingData& data,
                                   const ValidationData& validation) const {
        return {model, data, validation, optimiser, recipe, model.seed(), loss, perturbation};
    }
    /// Trains until the recipe says stop and leaves the best weights in the model. Throws as Session does.
    template <ANetwork N, Backend B>
    History fit(Model<N, B>& model, const TrainingData& data, const ValidationData& validation,
                const TrainingObserver& observer = {}) const {
        auto training = session(model, data, validation);
        while (!training.finished()) training.advance(observer);
        return training.history();
    }
};
template <class O, class L, class P>
Trainer(O, Recipe, L, P) -> Trainer<O, L, P>;
template <class O, class L>
Trainer(O, Recipe, L) -> Trainer<O, L>;
template <class O>
Trainer(O, Recipe) -> Trainer<O>;
template <class O>
Trainer(O) -> Trainer<O>;

/// Many sessions side by side: each call advances every unfinished one by one round. On a backend with one queue they
/// take turns; a backend that can run many networks at once overloads this for its sessions.
template <class SessionBase>
bool advance_one_round(std::span<SessionBase* const> running, const TrainingObserver& observer = {}) {
    bool any = false;
    for (SessionBase* session : running) {
        if (session->finished()) continue;
        session->advance(observer);
        any = true;
    }
    return any;
}

}  // namespace SKEWGRAD_NAMESPACE
