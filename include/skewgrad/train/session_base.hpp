// Training as a value that can be advanced round by round, as far as it is the same for every network.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/backend/pass.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/core/range.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/nn/losses.hpp>
#include <skewgrad/nn/prediction.hpp>
#include <skewgrad/train/recipe.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

using TrainingObserver = std::function<void(const TrainingProgress&)>;

/// What of training knows no network: where it stands in epochs and rounds, what was seen, when to stop. Compiled once;
/// `Session` adds the passes.
class SessionBase {
public:
    virtual ~SessionBase() = default;

    bool finished() const { return history_.stop != Stop::not_yet; }
    const History& history() const { return history_; }
    const Recipe& recipe() const { return recipe_; }
    Seed seed() const { return seed_; }

    /// Runs one round, or what is left of the one in progress, and returns its record. Throws NumericalError, naming
    /// round, update and epoch, when a batch's loss is not finite; the weights are then those before that update. A
    /// device says so within 32 updates.
    const Round& advance(const TrainingObserver& observer = {}) { return *advance(observer, {}); }
    /// The same, until `stop()`, asked after each update, is true: null where that ends it within the round, from where
    /// the next call, or a session that loads what this one saves, goes on with the same bits.
    const Round* advance(const TrainingObserver& observer, const std::function<bool()>& stop) {
        if (finished()) throw Error("training is finished: it cannot be advanced");
        const int number = static_cast<int>(history_.rounds.size()) + 1;
        if (in_round_ == 0) round_began_ = sums_;
        while (in_round_ < recipe_.updates_per_round) {
            const std::uint32_t epoch = epoch_;  // the step may end it
            step();
            const bool reports = in_round_ % 32 == 0, last = ++in_round_ == recipe_.updates_per_round;
            const bool stops = !last && stop && stop();
            if (reports || last || stops || sums_are_at_hand()) read(number, epoch);
            if (observer && reports) observer(progress(number, nullptr));
            if (stops) return nullptr;
        }
        finish_round(number);
        in_round_ = 0;
        if (observer) observer(progress(number, &history_.rounds.back()));
        return &history_.rounds.back();
    }

    /// Puts the best weights so far into the model: what `advance` does by itself at the end, for who stops before.
    void take_best() {
        if (!validation_.empty() && history_.best_round > 0) restore_best();
    }
    /// Everything needed to go on from here with the same bits, as one safetensors file (train/checkpoint.hpp).
    /// `notes` are kept in it too.
    virtual void save(const std::filesystem::path& path, const Notes& notes = {}) const = 0;
    /// Continues what `save` wrote. Throws FileError where the file was made by another network, recipe, optimiser,
    /// seed or training set, on another backend or instruction set (unless any is accepted), or where one of the notes
    /// expected is missing or differs; the session is then unchanged.
    virtual void load(const std::filesystem::path& path, const Notes& expected = {},
                      FromHardware accepted = FromHardware::same) = 0;

protected:
    SessionBase(TrainingData data, ValidationData validation, const Recipe& recipe, Seed seed)
        : data_(std::move(data)), validation_(std::move(validation)), recipe_(recipe), seed_(seed) {
        check(recipe_);
        if (data_.empty()) throw ValueError(data_.name() + ": there are no images to train on");
        if (recipe_.updates_per_round == 0)
            recipe_.updates_per_round = std::max(1, static_cast<int>(data_.size()) / recipe_.batch);
    }
    SessionBase(const SessionBase&) = default;
    SessionBase(SessionBase&&) = default;

    const TrainingData& data() const { return data_; }
    const ValidationData& validation() const { return validation_; }
    std::uint32_t epoch() const { return epoch_; }

    // For checkpoints.
    checkpoint::Position position() const {
        return {history_, sums_, in_round_ > 0 ? round_began_ : sums_, in_round_, epoch_, position_};
    }
    const TrainingSums& sums() const { return sums_; }
    void set_position(checkpoint::Position position) {
        history_ = std::move(position.history);
        sums_ = position.sums;
        round_began_ = position.round_began;
        in_round_ = position.in_round;
        epoch_ = position.epoch;
        position_ = position.in_epoch;
        order_.clear();
    }
    const std::array<std::string, 2>& digests() const {
        if (!digests_) digests_ = {checkpoint::digest_of(data_), checkpoint::digest_of(validation_)};
        return *digests_;
    }

    /// Mean loss and proportion of correct predictions.
    struct Evaluation {
        double loss = 0, accuracy = 0;
    };
    /// `loss_of(row, label)` of each validation image, from N x K logits.
    template <class Real, class LossOf>
    static Evaluation evaluate(const xt::xtensor<Real, 2>& z, const ValidationData& validation, LossOf loss_of) {
        const std::size_t classes = z.shape()[1];
        double sum = 0;
        std::size_t right = 0;
        for (std::size_t i = 0; i < validation.size(); ++i) {
            const std::span<const Real> row(z.data() + i * classes, classes);
            sum += loss_of(row, validation.label(i));
            right += correct(prediction_of(row), validation.label(i));
        }
        return {sum / static_cast<double>(validation.size()),
                static_cast<double>(right) / static_cast<double>(validation.size())};
    }

private:
    /// One update. A device may still be at it when this returns.
    virtual void train_on(std::span<const Pick> picks, Moment moment) = 0;
    /// The sums of all updates; waits for them. Whether that costs nothing.
    virtual StepState step_state() const = 0;
    virtual bool sums_are_at_hand() const = 0;
    virtual Evaluation validate() const = 0;
    virtual void keep_best() = 0;
    virtual void restore_best() = 0;

    void step() {
        if (order_.empty()) order_ = epoch_order(data_.items(), seed_, epoch_);
        const std::size_t first = position_;
        const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(recipe_.batch), order_.size() - first);
        train_on(std::span<const Pick>(order_).subspan(first, count), {.updates = sums_.updates, .epoch = epoch_});
        ++sums_.updates;
        position_ += count;
        if (position_ == order_.size()) {
            position_ = 0;
            ++epoch_;
            order_.clear();
        }
    }

    /// @throws NumericalError where an update was refused.
    void read(int round, std::uint32_t epoch) {
        const StepState now = step_state();
        sums_.images = now.images;
        sums_.correct = now.correct_sum;
        sums_.loss_sum = now.loss_sum;
        if (!now.failed()) return;
        sums_.updates = now.first_non_finite;
        throw NumericalError("the training loss is not finite at round " + std::to_string(round) + ", update " +
                             std::to_string(sums_.updates) + ", epoch " + std::to_string(epoch) +
                             "; a smaller learning rate may help");
    }

    void finish_round(int number) {
        Round round{.round = number, .updates = sums_.updates, .epoch = epoch_};
        const auto images = static_cast<double>(sums_.images - round_began_.images);
        round.train_loss = (sums_.loss_sum - round_began_.loss_sum) / images;
        round.train_accuracy = static_cast<double>(sums_.correct - round_began_.correct) / images;
        if (!validation_.empty()) {
            const Evaluation seen = validate();
            round.validation_loss = seen.loss;
            round.validation_accuracy = seen.accuracy;
        }
        const bool better = validation_.empty() || history_.best_round == 0 ||
                            round.validation_loss < history_.best_loss - double{recipe_.min_delta};
        if (better) {
            round.best = true;
            history_.best_round = number;
            // Not a number (nothing held out, or a network about to diverge): any later number is better.
            history_.best_loss =
                finite_bits(round.validation_loss) ? round.validation_loss : std::numeric_limits<double>::infinity();
            if (!validation_.empty()) keep_best();
        }
        history_.rounds.push_back(round);
        history_.stop = stop_after(recipe_, number, history_.best_round);
        if (finished()) take_best();
    }

    TrainingProgress progress(int number, const Round* finished) const {
        const auto images = static_cast<double>(sums_.images - round_began_.images);
        return {.round = number,
                .rounds = recipe_.rounds,
                .update = finished ? recipe_.updates_per_round : in_round_,
                .updates = recipe_.updates_per_round,
                .images = sums_.images,
                .loss = (sums_.loss_sum - round_began_.loss_sum) / images,
                .accuracy = static_cast<double>(sums_.correct - round_began_.correct) / images,
                .finished = finished};
    }

    TrainingData data_;
    ValidationData validation_;
    Recipe recipe_;
    Seed seed_;
    std::vector<Pick> order_;  // of the epoch in progress; empty: not drawn yet
    std::size_t position_ = 0;
    std::uint32_t epoch_ = 0;
    TrainingSums sums_, round_began_;  // now; where the round in progress began
    int in_round_ = 0;                 // updates of it
    History history_;
    mutable std::optional<std::array<std::string, 2>> digests_;  // of both lists' images: read once, when asked for
};

}  // namespace SKEWGRAD_NAMESPACE
