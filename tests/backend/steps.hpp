// Noise as bytes, and training steps on batches of it, on any backend.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <skewgrad/train/train_step.hpp>
#include <span>
#include <utility>
#include <vector>

#include "subjects.hpp"

namespace skewgrad_tests {

template <class N>
std::shared_ptr<const skewgrad::ImageStore> noise_store(std::size_t images) {
    std::vector<std::uint8_t> bytes(images * static_cast<std::size_t>(N::image.size()));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(256 * random_number(3, static_cast<std::uint32_t>(i)));
    return skewgrad::make_store("noise", N::image, std::move(bytes), labels_in_turn(images, N::classes));
}

/// A training batch, and what its draws are keyed on.
struct Batch {
    std::span<const skewgrad::Pick> picks{};
    std::uint32_t epoch = 0;
    skewgrad::Seed seed{};
    bool flips = false;
};
/// What steps leave: how many were made, and their sums.
struct StepSums {
    std::uint64_t updates = 0, images = 0, correct = 0;
    double loss_sum = 0;
    std::uint64_t first_non_finite = std::numeric_limits<std::uint64_t>::max();
    bool finite() const { return first_non_finite == std::numeric_limits<std::uint64_t>::max(); }
};

/// A model in training: steps of at most `batch` images of a store.
template <class M, class O, class L = skewgrad::CrossEntropy, class P = skewgrad::Unperturbed>
class Steps {
public:
    using Operations = typename M::Operations;
    using S = typename M::SpaceType;
    using Step = skewgrad::TrainStep<S, L, P>;

    Steps(M& model, const std::shared_ptr<const skewgrad::ImageStore>& store, const O& optimiser, std::size_t batch,
          bool flips = false, const L& loss = {}, const P& perturbation = {})
        : network_(model.context(), M::plan(), model.backend_parameters(), optimiser,
                   Operations::images_at_a_time(M::plan(), Step::pass, static_cast<int>(batch)) * P::views),
          step_(network_, S::share(network_.queue(), store), loss, perturbation, flips,
                std::vector<int>(static_cast<std::size_t>(M::classes), 1), static_cast<int>(batch)) {}

    /// One step; the sums go on from those given.
    void operator()(const Batch& batch, StepSums& sums) {
        step_.set_state({.loss_sum = sums.loss_sum, .images = sums.images, .correct_sum = sums.correct});
        step_(batch.picks, batch.seed, {.updates = sums.updates, .epoch = batch.epoch});
        const skewgrad::StepState now = step_.state();
        sums.loss_sum = now.loss_sum;
        sums.images = now.images;
        sums.correct = now.correct_sum;
        sums.first_non_finite = now.first_non_finite;
        if (!now.failed()) ++sums.updates;
    }
    /// The step alone: nothing is read, so that a device need not wait.
    void step(const Batch& batch, std::uint64_t updates) {
        step_(batch.picks, batch.seed, {.updates = updates, .epoch = batch.epoch});
    }
    skewgrad::StepState state() const { return step_.state(); }
    auto& training() { return network_.training(); }

private:
    skewgrad::NetworkInTraining<typename M::BackendType, O> network_;
    Step step_;
};

/// The model after `steps` steps on one batch, the epoch counting up.
template <class M, class O>
void train(M& model, const std::shared_ptr<const skewgrad::ImageStore>& store, Batch batch, const O& optimiser,
           int steps, StepSums& sums) {
    Steps<M, O> step(model, store, optimiser, batch.picks.size(), batch.flips);
    for (int i = 0; i < steps; ++i, ++batch.epoch) {
        step(batch, sums);
        if (!sums.finite()) break;
    }
    model.context().wait();
}

/// The parameters after one step on a batch of bytes.
template <class M, class O>
std::vector<typename M::Real> stepped(M model, const std::shared_ptr<const skewgrad::ImageStore>& store,
                                      const Batch& batch, const O& optimiser, StepSums& sums) {
    train(model, store, batch, optimiser, 1, sums);
    return model.parameters();
}

}  // namespace skewgrad_tests
