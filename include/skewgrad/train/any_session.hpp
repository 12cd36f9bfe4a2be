// Training as a value that can be advanced look by look, as far as it is the same for every network.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
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

#include <skewgrad/core/error.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/train/recipe.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

using TrainingObserver = std::function<void(const TrainingProgress&)>;

/// What of training knows no network: where it stands in epochs and looks, what was seen, when to stop. Compiled once;
/// `Session` adds the passes.
class AnySession {
public:
    virtual ~AnySession() = default;

    bool finished() const { return history_.stop != Stop::not_yet; }
    const History& history() const { return history_; }
    const Recipe& recipe() const { return recipe_; }
    Seed seed() const { return seed_; }

    /// Runs one look, or what is left of the one in progress, and returns its record. Throws NumericalError, naming
    /// look, update and epoch, when a batch's loss is not finite; the weights are then those before that update. A
    /// device says so within 32 updates.
    const Look& advance(const TrainingObserver& observer = {}) { return *advance(observer, {}); }
    /// The same, until `stop()`, asked after each update, is true: null where that ends it within the look, from where
    /// the next call, or a session that loads what this one saves, goes on with the same bits.
    const Look* advance(const TrainingObserver& observer, const std::function<bool()>& stop) {
        if (finished()) throw Error("training is finished: it cannot be advanced");
        const int number = static_cast<int>(history_.looks.size()) + 1;
        if (in_look_ == 0) look_began_ = state_;
        while (in_look_ < recipe_.updates_per_look) {
            const std::uint32_t epoch = epoch_;  // the step may end it
            step();
            const bool tells = in_look_ % 32 == 0, last = ++in_look_ == recipe_.updates_per_look;
            const bool stops = !last && stop && stop();
            if (tells || last || stops) read(state_);
            if (!state_.finite())
                throw NumericalError("the training loss is not finite at look " + std::to_string(number) + ", update " +
                                     std::to_string(state_.updates) + ", epoch " + std::to_string(epoch) +
                                     "; a smaller learning rate may help");
            if (observer && tells) observer(progress(number, nullptr));
            if (stops) return nullptr;
        }
        finish_look(number);
        in_look_ = 0;
        if (observer) observer(progress(number, &history_.looks.back()));
        return &history_.looks.back();
    }

    /// Puts the best weights so far into the model: what `advance` does by itself at the end, for who stops before.
    void take_best() {
        if (!held_.empty() && history_.best_look > 0) restore_best();
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
    AnySession(TrainingData data, HeldOutData held, const Recipe& recipe, Seed seed)
        : data_(std::move(data)), held_(std::move(held)), recipe_(recipe), seed_(seed) {
        check(recipe_);
        if (data_.empty()) throw ValueError(data_.name() + ": there are no images to train on");
        if (recipe_.updates_per_look == 0)
            recipe_.updates_per_look = std::max(1, static_cast<int>(data_.size()) / recipe_.batch);
    }
    AnySession(const AnySession&) = default;
    AnySession(AnySession&&) = default;

    const TrainingData& data() const { return data_; }
    const HeldOutData& held() const { return held_; }

    // For checkpoints.
    checkpoint::Position position() const {
        return {history_, state_, in_look_ > 0 ? look_began_ : state_, in_look_, epoch_, position_};
    }
    void set_position(checkpoint::Position position) {
        history_ = std::move(position.history);
        state_ = position.state;
        look_began_ = position.look_began;
        in_look_ = position.in_look;
        epoch_ = position.epoch;
        position_ = position.in_epoch;
        order_.clear();
    }
    const std::array<std::string, 2>& digests() const {
        if (!digests_) digests_ = {checkpoint::digest_of(data_), checkpoint::digest_of(held_)};
        return *digests_;
    }

    /// Mean loss and share of right answers.
    struct Seen {
        double loss = 0, accuracy = 0;
    };
    template <class Loss, class Real>
    static Seen seen(const xt::xtensor<Real, 2>& z, const HeldOutData& held) {
        const std::size_t classes = z.shape()[1];
        double sum = 0;
        std::size_t right = 0;
        for (std::size_t i = 0; i < held.size(); ++i) {
            const Real* row = z.data() + i * classes;
            sum += Loss::value(row, static_cast<int>(classes), held.label(i));
            right += std::max_element(row, row + classes) - row == index(held.label(i));
        }
        return {sum / static_cast<double>(held.size()), static_cast<double>(right) / static_cast<double>(held.size())};
    }

private:
    /// One update; its sums are in `state` when it returns or, where a device makes it, after the next `read`.
    virtual void train_on(const Batch& batch, StepState& state) = 0;
    virtual void read(StepState& state) = 0;
    virtual Seen held_out() const = 0;
    virtual void keep_best() = 0;
    virtual void restore_best() = 0;

    void step() {
        if (order_.empty()) order_ = epoch_order(data_.items(), seed_, epoch_);
        const std::size_t first = position_;
        const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(recipe_.batch), order_.size() - first);
        train_on({.picks = std::span<const Pick>(order_).subspan(first, count),
                  .epoch = epoch_,
                  .seed = seed_,
                  .flips = recipe_.flips},
                 state_);
        position_ += count;
        if (position_ == order_.size()) {
            position_ = 0;
            ++epoch_;
            order_.clear();
        }
    }

    void finish_look(int number) {
        Look look{.look = number, .updates = state_.updates, .epoch = epoch_};
        const auto images = static_cast<double>(state_.images - look_began_.images);
        look.train_loss = (state_.loss_sum - look_began_.loss_sum) / images;
        look.train_accuracy = static_cast<double>(state_.correct - look_began_.correct) / images;
        if (!held_.empty()) {
            const Seen seen = held_out();
            look.held_loss = seen.loss;
            look.held_accuracy = seen.accuracy;
        }
        const bool better =
            held_.empty() || history_.best_look == 0 || look.held_loss < history_.best_loss - double{recipe_.min_delta};
        if (better) {
            look.best = true;
            history_.best_look = number;
            // Not a number (nothing held out, or a network about to diverge): any later number is better.
            constexpr std::uint64_t infinity = 0x7ff0'0000'0000'0000;
            const bool finite = (std::bit_cast<std::uint64_t>(look.held_loss) & infinity) != infinity;
            history_.best_loss = finite ? look.held_loss : std::numeric_limits<double>::infinity();
            if (!held_.empty()) keep_best();
        }
        history_.looks.push_back(look);
        history_.stop = stop_after(recipe_, number, history_.best_look);
        if (finished()) take_best();
    }

    TrainingProgress progress(int number, const Look* finished) const {
        const auto images = static_cast<double>(state_.images - look_began_.images);
        return {.look = number,
                .looks = recipe_.looks,
                .update = finished ? recipe_.updates_per_look : in_look_,
                .updates = recipe_.updates_per_look,
                .images = state_.images,
                .loss = (state_.loss_sum - look_began_.loss_sum) / images,
                .accuracy = static_cast<double>(state_.correct - look_began_.correct) / images,
                .finished = finished};
    }

    TrainingData data_;
    HeldOutData held_;
    Recipe recipe_;
    Seed seed_;
    std::vector<Pick> order_;  // of the epoch in progress; empty: not drawn yet
    std::size_t position_ = 0;
    std::uint32_t epoch_ = 0;
    StepState state_, look_began_;  // now; where the look in progress began
    int in_look_ = 0;               // updates of it
    History history_;
    mutable std::optional<std::array<std::string, 2>> digests_;  // of both lists' images: read once, when asked for
};

}  // namespace SKEWGRAD_NAMESPACE
