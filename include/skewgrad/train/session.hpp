// Training a network: a session of its passes, saved and continued at each round's boundary.
#pragma once
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/model/model.hpp>
#include <skewgrad/nn/check_optimiser.hpp>
#include <skewgrad/train/session_base.hpp>

namespace SKEWGRAD_NAMESPACE {

/// One network's training: model (which it changes), data, optimiser state, position. `advance()` runs one round;
/// when `finished()`, the model holds the best weights. The draws are keyed on `seed`: order, dropout, flips.
/// The model is referred to, not owned: it must outlive the session and stay where it is. Moving it (as a growing
/// vector of models does) leaves the session without parameters, which is undefined behaviour.
template <ANetwork N, Backend B, Optimiser O, class Loss = CrossEntropy>
class Session final : public SessionBase {
public:
    using ModelType = Model<N, B>;
    using Program = typename ModelType::Program;

    /// Throws ValueError for an empty training set, images of another shape, labels beyond the network's classes,
    /// a recipe that cannot be (numbers below 1, a min_delta below 0) or an optimiser's rate that cannot. Nothing held
    /// out: all rounds are made.
    Session(ModelType& model, TrainingData data, ValidationData validation, O optimiser, Recipe recipe, Seed seed)
        : SessionBase(std::move(data), std::move(validation), recipe, seed),
          model_(checked(model)),
          optimiser_(checked(optimiser)),
          training_(Program::make_training(model.context(), optimiser)),
          bytes_(Program::upload(model.context(), this->data().store())),
          own_(Program::make_workspace(model.context(), Mode::train, recipe.batch)),
          best_(Program::make_parameters(model.context())) {}

    const O& optimiser() const { return optimiser_; }
    const ModelType& model() const { return model_; }

    void save(const std::filesystem::path& path, const Notes& notes = {}) const override;
    void load(const std::filesystem::path& path, const Notes& expected = {},
              FromHardware accepted = FromHardware::same) override;

private:
    ModelType& checked(ModelType& model) const {
        ModelType::check_shape_of(data());
        if (!validation().empty()) ModelType::check_shape_of(validation());
        return model;
    }
    static const O& checked(const O& optimiser) {
        check(optimiser);
        return optimiser;
    }
    checkpoint::Identity identity() const;

    void train_on(const Batch& batch, StepState& state) override {
        Program::template train_step<Loss>(model_.context(), model_.backend_parameters(), bytes_, batch, own_,
                                           training_, state);
    }
    void read(StepState& state) override { Program::read(model_.context(), training_, state); }
    Evaluation validate() const override { return evaluate<Loss>(model_.logits(validation()), validation()); }
    void keep_best() override { Program::copy_parameters(model_.context(), model_.backend_parameters(), best_); }
    void restore_best() override { Program::copy_parameters(model_.context(), best_, model_.backend_parameters()); }

    ModelType& model_;
    O optimiser_;
    typename Program::template Training<O> training_;
    typename Program::ByteImages bytes_;
    typename Program::Workspace own_;
    typename Program::Parameters best_;
};

}  // namespace SKEWGRAD_NAMESPACE

#include <skewgrad/train/checkpoint.hpp>
