// Trains a study's networks, several at a time where that is wanted, and keeps what comes of each.
#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/jobs.hpp>
#include <skewgrad/study/shared_time.hpp>
#include <skewgrad/study/standing.hpp>
#include <skewgrad/study/work.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// A training's data; several jobs may ask at once.
using Arrange = std::function<Arranged(const PlannedTraining&)>;

/// Jobs take the guard for all that is not their own training: results, folder, where the study stands.
class TrainNetworks {
public:
    /// What is given must live on; no folder: in memory.
    TrainNetworks(Work& work, const Arrange& arrange, StudyResults& results, const TestData& test, RunFolder* folder,
                  Standing& standing)
        : work_(work),
          arrange_(arrange),
          results_(results),
          test_(test),
          folder_(folder),
          standing_(standing),
          progress_(standing.progress) {}

    /// Trains and holds networks of the plan, `jobs` at a time or as many as the learner can. `ended(t)`, under the
    /// guard, when a network's results are there.
    void run(const std::vector<std::size_t>& trainings, int jobs, const std::function<void(std::size_t t)>& ended) {
        const int most = static_cast<int>(std::max<std::size_t>(1, trainings.size()));
        const int can = work_.prepare(results_.plan.trainings.size(), std::min(jobs, most));
        jobs_.run(static_cast<std::size_t>(can), trainings.size(), [&](std::size_t job, std::size_t i) {
            const std::size_t t = trainings[i];
            double since = begins(t);
            const auto share = [&] {  // of the seconds since the last time it was asked
                const double at = time_.read(now_seconds());
                return at - std::exchange(since, at);
            };
            TrainingResult result = train(static_cast<int>(job), t, share);
            const std::scoped_lock lock(guard_);
            keep(t, std::move(result), share);
            ends(t);
            ended(t);
            standing_.tell(true);
            if (standing_.observer().training_ends) standing_.observer().training_ends(t, results_.trainings[t]);
        });
    }

private:
    const PlannedTraining& planned(std::size_t t) const { return results_.plan.trainings[t]; }

    /// Returns when that was, in time that is shared.
    double begins(std::size_t t) {
        const std::scoped_lock lock(guard_);
        under_way_.push_back(t);
        time_.changes(now_seconds(), under_way_.size());
        if (under_way_.size() == 1) progress_.look = 0;
        name_the_first();
        standing_.clock.trainings_left = static_cast<double>(progress_.trainings - progress_.trainings_done) -
                                         static_cast<double>(under_way_.size());
        standing_.tell(true);
        return time_.read(now_seconds());
    }
    void ends(std::size_t t) {
        std::erase(under_way_, t);
        time_.changes(now_seconds(), under_way_.size());
        name_the_first();
    }
    void name_the_first() {
        if (under_way_.empty()) return;
        progress_.job = "training " + title_of(planned(under_way_.front()), results_.class_names);
        if (under_way_.size() > 1) progress_.job += " and " + std::to_string(under_way_.size() - 1) + " more";
    }

    template <class ShareOfTime>
    TrainingResult train(int job, std::size_t t, const ShareOfTime& share) {
        const Arranged data = arrange_(planned(t));
        const CheckpointPlace at = place_of_checkpoint(t, data, share);
        Trained trained = work_.train(
            job, t, planned(t).training_seed, data, test_, [&](const TrainingProgress& p) { told(t, p); },
            folder_ ? &at : nullptr);
        TrainingResult result;
        result.history = std::move(trained.history);
        result.clean = std::move(trained.clean);
        result.counts = data.fit.counts();
        result.items = data.fit.items();
        result.held_out = data.held.size();
        return result;
    }
    template <class ShareOfTime>
    CheckpointPlace place_of_checkpoint(std::size_t t, const Arranged& data, const ShareOfTime& share) {
        const std::scoped_lock lock(guard_);
        if (standing_.observer().training_begins) standing_.observer().training_begins(t, data);
        if (!folder_) return {};
        CheckpointPlace at = folder_->checkpoint(t);
        at.saved = [this, t, &share] {
            const std::scoped_lock saved(guard_);
            folder_->add_training_seconds(t, share());
            folder_->write_times();
            standing_.tell(true);
        };
        return at;
    }
    void told(std::size_t t, const TrainingProgress& p) {
        jobs_.go_on();
        const std::scoped_lock lock(guard_);
        standing_.clock.training(t, p, now_seconds());
        if (under_way_.front() == t) {
            progress_.look = p.look;
            progress_.looks = p.looks;
            progress_.loss = p.loss;
        }
        standing_.tell(false);
        if (standing_.observer().training) standing_.observer().training(t, p);
    }
    template <class ShareOfTime>
    void keep(std::size_t t, TrainingResult result, const ShareOfTime& share) {
        standing_.clock.training_ended(t, result.history);
        if (folder_) {
            if (work_.stores()) work_.save(t, folder_->network_file(t), folder_->notes(t));
            if (!folder_->has_training(t)) folder_->keep_training(t, result);
            folder_->add_training_seconds(t, share());
            folder_->write_times();
            result.seconds = folder_->training_seconds(t);
        } else {
            result.seconds = share();
        }
        results_.trainings[t] = std::move(result);
    }

    Work& work_;
    const Arrange& arrange_;
    StudyResults& results_;
    const TestData& test_;
    RunFolder* folder_;
    Standing& standing_;
    StudyProgress& progress_;
    Jobs jobs_;
    std::mutex guard_;
    std::vector<std::size_t> under_way_;  // those begun first in front
    SharedTime time_;
};

}  // namespace SKEWGRAD_NAMESPACE::study
