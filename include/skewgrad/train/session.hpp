// Training a network: a session of steps, saved and continued at each round's boundary or within a round.
#pragma once
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/model/model.hpp>
#include <skewgrad/nn/check_optimiser.hpp>
#include <skewgrad/train/session_base.hpp>
#include <skewgrad/train/train_step.hpp>

namespace SKEWGRAD_NAMESPACE {

/// One network's training: model (which it changes), data, optimiser state, position. `advance()` runs one round;
/// when `finished()`, the model holds the best weights. The draws are keyed on `seed`: order, dropout, flips,
/// perturbations. The model is referred to, not owned: it must outlive the session and stay where it is. Moving it (as
/// a growing vector of models does) leaves the session without parameters, which is undefined behaviour.
template <ANetwork N, Backend B, Optimiser O, Loss L = CrossEntropy, class P = Unperturbed>
class Session final : public SessionBase {
public:
    using ModelType = Model<N, B>;
    using Operations = typename B::Operations;
    using S = typename Operations::SpaceType;

    /// Throws ValueError for an empty training set, images of another shape, labels beyond the network's classes, a
    /// recipe that cannot be (numbers below 1, a min_delta below 0), an optimiser's rate, a perturbation or class
    /// counts that cannot. Without validation images all rounds are made.
    Session(ModelType& model, TrainingData data, ValidationData validation, O optimiser, Recipe recipe, Seed seed,
            L loss = {}, P perturbation = {})
        : SessionBase(std::move(data), std::move(validation), recipe, seed),
          model_(checked(model, optimiser, perturbation)),
          loss_(loss),
          perturbation_(perturbation),
          table_(loss.table(this->data().counts())),
          work_(std::make_unique<Work>(model, optimiser, *this)),
          best_(Operations::make_parameters(model.context(), ModelType::plan())) {}

    const O& optimiser() const { return work_->network.training().optimiser; }
    const ModelType& model() const { return model_; }
    const L& loss() const { return loss_; }
    const P& perturbation() const { return perturbation_; }

    void save(const std::filesystem::path& path, const Notes& notes = {}) const override;
    void load(const std::filesystem::path& path, const Notes& expected = {},
              FromHardware accepted = FromHardware::same) override;

private:
    /// What recordings refer to stays where it is when a session is moved.
    struct Work {
        Work(ModelType& model, const O& optimiser, const Session& of)
            : network(model.context(), ModelType::plan(), model.backend_parameters(), optimiser,
                      Operations::images_at_a_time(ModelType::plan(), TrainStep<S, L, P>::pass, of.recipe().batch) *
                          P::views),
              step(network, S::share(network.queue(), of.data().store()), of.loss_, of.perturbation_, of.recipe().flips,
                   of.data().counts(), of.recipe().batch) {}
        NetworkInTraining<B, O> network;
        TrainStep<S, L, P> step;
    };

    ModelType& checked(ModelType& model, const O& optimiser, const P& perturbation) const {
        ModelType::check_shape_of(data());
        if (!validation().empty()) ModelType::check_shape_of(validation());
        check(optimiser);
        perturbation.check();
        return model;
    }
    checkpoint::Identity identity() const;

    void train_on(std::span<const Pick> picks, Moment moment) override { work_->step(picks, seed(), moment); }
    StepState step_state() const override { return work_->step.state(); }
    bool sums_are_at_hand() const override { return S::eager; }
    Evaluation validate() const override {
        const Moment now{.updates = sums().updates, .epoch = epoch()};
        return evaluate(model_.logits(validation()), validation(),
                        [&](auto row, Label y) { return loss::of_row(loss_, row, y, now, table_.data()); });
    }
    void keep_best() override { copy(model_.backend_parameters(), best_); }
    void restore_best() override { copy(best_, model_.backend_parameters()); }
    void copy(const typename Operations::Parameters& from, typename Operations::Parameters& to) {
        Operations::copy_parameters(model_.context(), ModelType::plan(), from, to);
    }

    ModelType& model_;
    L loss_;
    P perturbation_;
    std::vector<float> table_;  // the loss's, on the host
    std::unique_ptr<Work> work_;
    typename Operations::Parameters best_;
};

}  // namespace SKEWGRAD_NAMESPACE

#include <skewgrad/train/checkpoint.hpp>
