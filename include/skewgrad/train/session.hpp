// Training as a value that can be advanced look by look, saved and continued at each look's boundary.
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
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/train/recipe.hpp>
#include <skewgrad/train/session_file.hpp>

namespace SKEWGRAD_NAMESPACE {

using TrainingObserver = std::function<void(const TrainingProgress&)>;

/// One network's training: model (which it changes), data, optimiser state, position. `advance()` runs one look;
/// when `finished()`, the model holds the best weights. The draws are keyed on `seed`: order, dropout, flips.
template <ANetwork N, Backend B, Optimiser O, class Loss = CrossEntropy>
class Session {
public:
    using ModelType = Model<N, B>;
    using Program = typename ModelType::Program;

    /// Throws ValueError for an empty training set, images of another shape, labels beyond the network's classes,
    /// or a recipe that cannot be (numbers below 1, a min_delta below 0). Nothing held out: all looks are made.
    Session(ModelType& model, TrainingData data, HeldOutData held, O optimiser, Recipe recipe, Seed seed)
        : model_(model),
          data_(std::move(data)),
          held_(std::move(held)),
          recipe_(recipe),
          seed_(seed),
          optimiser_(optimiser),
          training_(Program::make_training(model.context(), optimiser)),
          bytes_(Program::upload(model.context(), data_.store())) {
        check();
        if (recipe_.updates_per_look == 0)
            recipe_.updates_per_look = std::max(1, static_cast<int>(data_.size()) / recipe_.batch);
        own_.emplace(Program::make_workspace(model_.context(), Mode::train, recipe_.batch));
        best_.emplace(Program::make_parameters(model_.context()));
    }

    bool finished() const { return history_.stop != Stop::not_yet; }
    const History& history() const { return history_; }
    const Recipe& recipe() const { return recipe_; }
    const O& optimiser() const { return optimiser_; }
    Seed seed() const { return seed_; }
    const ModelType& model() const { return model_; }

    /// Runs one look and returns its record. Throws NumericalError, naming look, update and epoch, when a batch's loss
    /// is not finite; the weights are then those before that update.
    const Look& advance(const TrainingObserver& observer = {}) {
        if (finished()) throw Error("training is finished: it cannot be advanced");
        const int number = static_cast<int>(history_.looks.size()) + 1;
        StepState before = state_;
        for (int update = 0; update < recipe_.updates_per_look; ++update) {
            const std::uint32_t epoch = epoch_;  // the step may end it
            step();
            Program::read(model_.context(), state_);
            if (!state_.finite())
                throw NumericalError("the training loss is not finite at look " + std::to_string(number) + ", update " +
                                     std::to_string(state_.updates) + ", epoch " + std::to_string(epoch) +
                                     "; a smaller learning rate may help");
            if (observer && (update % 32 == 0)) observer(progress(number, update + 1, before, nullptr));
        }
        finish_look(number, before);
        if (observer) observer(progress(number, recipe_.updates_per_look, before, &history_.looks.back()));
        return history_.looks.back();
    }

    /// Puts the best weights so far into the model: what `advance` does by itself at the end, for who stops before.
    void take_best() {
        if (!held_.empty() && history_.best_look > 0)
            Program::copy_parameters(model_.context(), *best_, model_.backend_parameters());
    }
    /// Everything needed to go on from here with the same bits, as one safetensors file (train/checkpoint.hpp).
    /// `notes` are kept in it too.
    void save(const std::filesystem::path& path, const Notes& notes = {}) const;
    /// Continues what `save` wrote. Throws FileError where the file was made by another network, recipe, optimiser,
    /// seed or training set, on another backend or instruction set (unless any is accepted), or where one of the notes
    /// expected is missing or differs; the session is then unchanged.
    void load(const std::filesystem::path& path, const Notes& expected = {},
              FromHardware accepted = FromHardware::same);

private:
    const std::array<std::string, 2>& digests() const;
    template <class Use>
    auto with_identity(Use use) const;
    void check() const {
        const auto positive = [](const char* what, long long value) {
            if (value < 1)
                throw ValueError(std::string("a recipe's ") + what + " is " + std::to_string(value) +
                                 ", it must be at least 1");
        };
        positive("batch", recipe_.batch);
        positive("looks", recipe_.looks);
        positive("patience", recipe_.patience);
        if (recipe_.updates_per_look < 0)
            throw ValueError("a recipe's updates_per_look is " + std::to_string(recipe_.updates_per_look));
        if (!(recipe_.min_delta >= 0))
            throw ValueError("a recipe's min_delta is " + std::to_string(recipe_.min_delta) +
                             ", it must be at least 0");
        if (data_.empty()) throw ValueError(data_.name() + ": there are no images to train on");
        ModelType::check_shape_of(data_);
        if (!held_.empty()) ModelType::check_shape_of(held_);
    }

    void step() {
        if (order_.empty()) order_ = epoch_order(data_.items(), seed_, epoch_);
        const std::size_t first = position_;
        const std::size_t count = std::min<std::size_t>(static_cast<std::size_t>(recipe_.batch), order_.size() - first);
        const Batch batch{.picks = std::span<const Pick>(order_).subspan(first, count),
                          .epoch = epoch_,
                          .seed = seed_,
                          .flips = recipe_.flips};
        Program::template train_step<Loss>(model_.context(), model_.backend_parameters(), bytes_, batch, *own_,
                                           training_, state_);
        position_ += count;
        if (position_ == order_.size()) {
            position_ = 0;
            ++epoch_;
            order_.clear();
        }
    }

    void finish_look(int number, const StepState& before) {
        Look look{.look = number, .updates = state_.updates, .epoch = epoch_};
        const auto images = static_cast<double>(state_.images - before.images);
        look.train_loss = (state_.loss_sum - before.loss_sum) / images;
        look.train_accuracy = static_cast<double>(state_.correct - before.correct) / images;
        if (!held_.empty()) take_held_out(look);
        const bool better =
            held_.empty() || history_.best_look == 0 || look.held_loss < history_.best_loss - double{recipe_.min_delta};
        if (better) {
            look.best = true;
            history_.best_look = number;
            // Not a number (nothing held out, or a network about to diverge): any later number is better.
            constexpr std::uint64_t infinity = 0x7ff0'0000'0000'0000;
            const bool finite = (std::bit_cast<std::uint64_t>(look.held_loss) & infinity) != infinity;
            history_.best_loss = finite ? look.held_loss : std::numeric_limits<double>::infinity();
            if (!held_.empty()) Program::copy_parameters(model_.context(), model_.backend_parameters(), *best_);
        }
        history_.looks.push_back(look);
        if (number - history_.best_look >= recipe_.patience)
            history_.stop = Stop::patience;
        else if (number >= recipe_.looks)
            history_.stop = Stop::looks;
        if (finished()) take_best();
    }

    void take_held_out(Look& look) const {
        const auto z = model_.logits(held_);
        double sum = 0;
        std::size_t right = 0;
        for (std::size_t i = 0; i < held_.size(); ++i) {
            const auto* row = z.data() + i * static_cast<std::size_t>(N::classes);
            sum += Loss::value(row, N::classes, held_.label(i));
            right += std::max_element(row, row + N::classes) - row == index(held_.label(i));
        }
        look.held_loss = sum / static_cast<double>(held_.size());
        look.held_accuracy = static_cast<double>(right) / static_cast<double>(held_.size());
    }

    TrainingProgress progress(int number, int update, const StepState& before, const Look* finished) const {
        const auto images = static_cast<double>(state_.images - before.images);
        return {.look = number,
                .looks = recipe_.looks,
                .update = update,
                .updates = recipe_.updates_per_look,
                .images = state_.images,
                .loss = (state_.loss_sum - before.loss_sum) / images,
                .accuracy = static_cast<double>(state_.correct - before.correct) / images,
                .finished = finished};
    }

    ModelType& model_;
    TrainingData data_;
    HeldOutData held_;
    Recipe recipe_;
    Seed seed_;
    O optimiser_;
    typename Program::template Training<O> training_;
    typename Program::ByteImages bytes_;
    std::optional<typename Program::Workspace> own_;
    std::optional<typename Program::Parameters> best_;
    std::vector<Pick> order_;  // of the epoch in progress; empty: not drawn yet
    std::size_t position_ = 0;
    std::uint32_t epoch_ = 0;
    StepState state_;
    History history_;
    mutable std::optional<std::array<std::string, 2>> digests_;  // of both lists' images: read once, when asked for
};

}  // namespace SKEWGRAD_NAMESPACE

#include <skewgrad/train/checkpoint.hpp>
