// What a study's types do, behind plain functions: so that running a study is compiled once, whatever is studied.
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/study/evaluate_cells.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/study/logit_adjustment.hpp>
#include <skewgrad/study/study_progress.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// A training's history, and what its network answers to the test images without attack.
struct Trained {
    History history;
    std::vector<Outcome> clean;
};

/// Holds a study's networks, as many as it is told to; numbers are those of the plan. `train` may be called by several
/// jobs at a time, all else by one thread at a time.
class Work {
public:
    virtual ~Work() = default;

    /// Whether networks can be written to files and read again; if not, those that cells need are held or trained.
    virtual bool stores() const = 0;
    /// Makes ready for a study of `trainings` networks, `jobs` of which are wanted to be trained at a time. Returns how
    /// many can be.
    virtual int prepare(std::size_t trainings, int jobs) = 0;
    /// Trains a network as one of the jobs and holds it. `at`: where to leave checkpoints, used by learners that can go
    /// on from one.
    virtual Trained train(int job, std::size_t t, Seed seed, const Arranged& data, const TestData& test,
                          const TrainingObserver& observer, const CheckpointPlace* at) = 0;
    virtual void save(std::size_t t, const std::filesystem::path& file, const Notes& notes) const = 0;
    virtual void load(std::size_t t, const std::filesystem::path& file, const Notes& notes) = 0;
    /// Holds as `t` the network of training `of` with offsets added to its logits.
    virtual void adjust(std::size_t t, std::size_t of, std::span<const double> offsets) = 0;
    virtual bool holds(std::size_t t) const = 0;
    virtual void forget(std::size_t t) = 0;
    virtual std::vector<Outcome> clean(std::size_t t, const TestData& test) const = 0;
    virtual std::vector<AttackedPicture> pictures(std::size_t t, const TestData& some) const = 0;
    /// Fills the cells of groups that have one source and one class; all their networks are held.
    virtual void evaluate(StudyResults& results, std::span<const CellGroup> groups, const TestData& of_class,
                          const std::function<void()>& told) const = 0;
    /// What that costs for each image, in forward passes, roughly.
    virtual double passes(const Plan& plan, std::span<const CellGroup> groups) const = 0;
};

template <Learner L, class... A>
class NetworksAtWork final : public Work {
public:
    using M = typename L::ModelType;

    /// Learner, attacks and what is measured along their directions must live on.
    NetworksAtWork(const L& learner, const std::tuple<A...>& attacks, const AlongDirection& along)
        : learner_(learner), attacks_(attacks), along_(along) {}

    bool stores() const override { return StoringLearner<L>; }
    int prepare(std::size_t trainings, int jobs) override {
        held_.resize(trainings);
        beside_.clear();
        if constexpr (ConcurrentLearner<L>)
            for (int job = 0; jobs > 1 && job < jobs; ++job) beside_.push_back(learner_.beside(jobs));
        return beside_.empty() ? 1 : jobs;
    }
    Trained train(int job, std::size_t t, Seed seed, const Arranged& data, const TestData& test,
                  const TrainingObserver& observer, const CheckpointPlace* at) override {
        const bool alone = beside_.empty();
        const L& learner = alone ? learner_ : beside_[static_cast<std::size_t>(job)];
        auto learned = [&] {
            if constexpr (ResumableLearner<L>)
                return learner.train(data, seed, observer, at ? *at : CheckpointPlace{});
            else
                return learner.train(data, seed, observer);
        }();
        Trained trained{std::move(learned.history), outcomes(learned.model, test)};
        if constexpr (ConcurrentLearner<L>) {
            if (!alone) {
                held_[t].emplace(learner_.adopt(learned.model));
                return trained;
            }
        }
        held_[t].emplace(std::move(learned.model));
        return trained;
    }
    void save(std::size_t t, const std::filesystem::path& file, const Notes& notes) const override {
        if constexpr (StoringLearner<L>) learner_.save(*held_[t], file, notes);
    }
    void load(std::size_t t, const std::filesystem::path& file, const Notes& notes) override {
        if constexpr (StoringLearner<L>) held_[t].emplace(learner_.load(file, notes));
    }
    void adjust(std::size_t t, std::size_t of, std::span<const double> offsets) override {
        if constexpr (LogitAdjustable<M>) held_[t].emplace(with_adjusted_logits(*held_[of], offsets));
    }
    bool holds(std::size_t t) const override { return t < held_.size() && held_[t].has_value(); }
    void forget(std::size_t t) override { held_[t].reset(); }
    std::vector<Outcome> clean(std::size_t t, const TestData& test) const override { return outcomes(*held_[t], test); }
    std::vector<AttackedPicture> pictures(std::size_t t, const TestData& some) const override {
        return attacked_pictures(*held_[t], std::get<0>(attacks_), some);
    }
    void evaluate(StudyResults& results, std::span<const CellGroup> groups, const TestData& of_class,
                  const std::function<void()>& told) const override {
        HandlesOfNetworks<Real, Images> networks(held_.size());
        for (std::size_t t = 0; t < held_.size(); ++t)
            if (held_[t]) networks[t] = std::make_unique<attack::Handle<M>>(*held_[t], of_class.size(), workspaces_);
        evaluate_cells(results, groups, networks, attacks_, of_class, along_, told);
    }
    double passes(const Plan& plan, std::span<const CellGroup> groups) const override {
        return study::passes(plan, groups, attacks_, along_);
    }

private:
    using Real = typename attack::Handle<M>::Real;
    using Images = typename attack::Handle<M>::Images;

    const L& learner_;
    std::vector<L> beside_;  // of each job; empty: one thread trains
    const std::tuple<A...>& attacks_;
    const AlongDirection& along_;
    std::vector<std::optional<M>> held_;
    std::shared_ptr<attack::Workspaces<M>> workspaces_ = std::make_shared<attack::Workspaces<M>>();
};

}  // namespace SKEWGRAD_NAMESPACE::study
