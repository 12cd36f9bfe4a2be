// The training step of every backend: gather, perturb, forward, loss, pull back, update; recorded as one graph on a
// device.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/images/from_bytes.hpp>
#include <skewgrad/model/row_loss.hpp>
#include <skewgrad/train/perturbation.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace step {

/// The labels of picked images, from those of the whole store.
struct LabelsOf {
    const Label* of_store;
    const Pick* picks;
    Label* labels;
    SKEWGRAD_FN void operator()(int n) const { labels[n] = of_store[picks[n].item]; }
};

/// Offsets of a step's inputs in the one piece of memory that is sent before it, each on a boundary of 16 bytes.
class Inputs {
public:
    std::size_t add(std::size_t bytes) {
        const std::size_t at = size_;
        size_ = (size_ + bytes + 15) / 16 * 16;
        return at;
    }
    std::size_t size() const { return size_; }

private:
    std::size_t size_ = 0;
};

}  // namespace step

/// All that a session's steps need besides the network: the batch's images, the perturbation's scratch, class tables,
/// inputs, sums. Made once; a step allocates nothing. Compiled for a space, a loss and a perturbation, whatever the
/// network.
template <Space S, Loss L, class P>
    requires PerturbationIn<P, S>
class TrainStep {
public:
    using Real = typename S::Real;
    using Formula = FormulaOf<L>;
    using Now = decltype(std::declval<const P&>().at(Moment{}));
    static_assert(
        L::pairs == (P::views == 2),
        "skewgrad: a loss of pairs needs a perturbation that puts images beside the batch's own, other losses "
        "need one that does not");

    /// How images pass in a step.
    static constexpr Pass pass{.statistics = BatchStatistics::batch, .views = P::views};

    /// `counts`: training images of each class. `batch`: the most images of a step. The network must outlive it.
    TrainStep(TrainingView<S>& network, StoredImages store, const L& loss, const P& perturbation, bool flips,
              std::span<const int> counts, int batch)
        : network_(network),
          store_(std::move(store)),
          loss_(loss),
          perturbation_(perturbation),
          flips_(flips),
          batch_(batch),
          block_(network.images_at_a_time(pass, batch)),
          own_(perturbation, network, block_) {
        const auto on = network.queue();
        const auto room = static_cast<std::size_t>(block_);
        x_ = S::template make<Real>(on, room * static_cast<std::size_t>(network.pixels().size() * P::views));
        labels_ = S::template make<Label>(on, room);
        losses_ = S::template make<double>(on, room);
        correct_ = S::template make<std::uint8_t>(on, room);
        state_ = S::template make<StepState>(on, 1);
        set_state({});
        std::vector<float> tables = loss.table(counts);
        const std::size_t of_loss = tables.size();
        const std::vector<float> of_perturbation = perturbation.table(counts);
        tables.insert(tables.end(), of_perturbation.begin(), of_perturbation.end());
        tables_ = S::template make<float>(on, tables.size());
        S::template put<float>(on, tables, tables_);
        perturbation_table_ = of_perturbation.empty() ? nullptr : tables_.data() + of_loss;
        step::Inputs inputs;
        draws_at_ = inputs.add(sizeof(DrawKeys));
        update_at_ = inputs.add(sizeof(std::uint64_t));
        formula_at_ = inputs.add(sizeof(Formula));
        now_at_ = inputs.add(sizeof(Now));
        optimiser_at_ = inputs.add(network.input_bytes());
        picks_at_ = inputs.add(static_cast<std::size_t>(batch) * sizeof(Pick));
        filled_.resize(inputs.size());
        inputs_ = S::template make<std::byte>(on, inputs.size());
    }
    TrainStep(const TrainStep&) = delete;  // recordings refer to its memory
    TrainStep& operator=(const TrainStep&) = delete;

    /// One update on a batch. What differs from step to step goes into the inputs; all else may be a recording.
    void operator()(std::span<const Pick> picks, Seed seed, Moment m) {
        if (picks.empty() || picks.size() > static_cast<std::size_t>(batch_))
            throw ValueError("a training step for at most " + std::to_string(batch_) + " images was given " +
                             std::to_string(picks.size()));
        const auto on = network_.queue();
        fill(draws_at_, DrawKeys{seed, m.epoch});
        fill(update_at_, m.updates);
        fill(formula_at_, loss_.at(m));
        fill(now_at_, perturbation_.at(m));
        network_.input(m.updates, filled_.data() + optimiser_at_);
        std::memcpy(filled_.data() + picks_at_, picks.data(), picks.size_bytes());
        S::template put<std::byte>(on, filled_, inputs_);
        const int count = static_cast<int>(picks.size());
        S::record(on, recording_, static_cast<std::uint64_t>(count), [this, count] { run(count); });
    }

    /// The sums of all steps since they were set; waits for the steps.
    StepState state() const {
        StepState now;
        S::template get<StepState>(network_.queue(), state_, {&now, 1});
        return now;
    }
    void set_state(const StepState& state) { S::template put<StepState>(network_.queue(), {&state, 1}, state_); }

private:
    // No Moment and no Seed here: only pointers to what was made of them.
    void run(int batch) {
        const auto on = network_.queue();
        const PixelOrder order = network_.pixels();
        const DrawKeys* draws = input<DrawKeys>(draws_at_);
        for (int first = 0; first < batch; first += block_) {
            const int count = std::min(block_, batch - first);
            const Pick* picks = input<Pick>(picks_at_) + first;
            S::each_position(on, count, order,
                             images::FromBytes<Real>{order, store_.bytes, picks, flips_ ? draws : nullptr, x_.data()});
            S::each(on, count, step::LabelsOf{store_.labels, picks, labels_.data()});
            perturbation_.run(
                network_,
                Task<S>{.x = x_.data(), .count = count, .labels = labels_.data(), .picks = picks, .draws = draws},
                x_.data(), perturbation_table_, input<Now>(now_at_), own_);
            Pass how = pass;
            how.draws = draws;
            how.picks = picks;
            network_.train(x_.data(), count, how, [&](const auto& queue, const LogitBlock<Real>& block) {
                S::each(queue, block.count,
                        RowLoss<Formula, Real>{.formula = input<Formula>(formula_at_),
                                               .block = block,
                                               .views = P::views,
                                               .labels = labels_.data(),
                                               .table = tables_.data(),
                                               .scale = 1.0 / batch,
                                               .losses = losses_.data(),
                                               .correct = correct_.data()});
            });
            S::each(on, 1,
                    CountLosses{losses_.data(), correct_.data(), count, first == 0, first + count == batch, batch,
                                input<std::uint64_t>(update_at_), state_.data()});
        }
        network_.update(inputs_.data() + optimiser_at_, state_.data());
    }
    template <class T>
    void fill(std::size_t at, const T& value) {
        std::memcpy(filled_.data() + at, &value, sizeof value);
    }
    template <class T>
    const T* input(std::size_t at) const {
        return reinterpret_cast<const T*>(inputs_.data() + at);
    }

    TrainingView<S>& network_;
    StoredImages store_;
    L loss_;
    P perturbation_;
    bool flips_;
    int batch_, block_;
    typename P::template Scratch<S> own_;
    typename S::template Array<Real> x_;
    typename S::template Array<Label> labels_;
    typename S::template Array<double> losses_;
    typename S::template Array<std::uint8_t> correct_;
    typename S::template Array<StepState> state_;
    typename S::template Array<float> tables_;
    typename S::template Array<std::byte> inputs_;
    const float* perturbation_table_ = nullptr;
    std::vector<std::byte> filled_;
    std::size_t draws_at_ = 0, update_at_ = 0, formula_at_ = 0, now_at_ = 0, optimiser_at_ = 0, picks_at_ = 0;
    typename S::Recording recording_;
};

}  // namespace SKEWGRAD_NAMESPACE
