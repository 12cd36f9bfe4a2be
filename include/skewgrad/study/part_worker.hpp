// Does one part of a study: trains, adjusts, attacks, or keeps pictures; results go to the run's folder or to memory.
#pragma once
#include <cstddef>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/failed_trainings.hpp>
#include <skewgrad/study/logit_adjustment.hpp>
#include <skewgrad/study/run_folder.hpp>
#include <skewgrad/study/run_progress.hpp>
#include <skewgrad/study/study_operations.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Returns a training's data; several jobs may call it at once.
using MakeTrainingSet = std::function<TrainingSet(const PlannedTraining&)>;

/// Several jobs may each do a part at once. What two of them share is guarded: results in memory, progress.
class PartWorker {
public:
    /// All must outlive this object. Null folder: results are in memory only.
    PartWorker(StudyOperations& work, const MakeTrainingSet& make_training_set, const TestData& test,
               StudyResults& results, std::span<const CellGroup> groups, std::span<const Part> parts,
               const FailedTrainings& failed, RunFolder* folder, RunProgress& progress)
        : work_(work),
          make_training_set_(make_training_set),
          test_(test),
          results_(results),
          groups_(groups),
          parts_(parts),
          failed_(failed),
          folder_(folder),
          progress_(progress) {}

    /// Does part `p`, whose needs are done, as one of the jobs. Calls `go_on()`, which may throw, in between. Throws
    /// NumericalError for a training without a result, and Stopped if the observer requests it: a training has then
    /// written its checkpoint.
    void operator()(std::size_t job, std::size_t p, const std::function<void()>& go_on) {
        const Part& part = parts_[p];
        progress_.begins(p, title(part));
        try {
            if (part.stage == Stage::train) return train(job, p, go_on);
            if (part.stage == Stage::adjust) adjust(job, part.training);
            if (part.stage == Stage::attack) attack(job, p, go_on);
            if (part.stage == Stage::pictures) pictures(job, part.training);
        } catch (...) {
            progress_.ends(p);
            throw;
        }
        progress_.ends(p);
    }
    /// Whether a network can be had again without training.
    bool restorable(std::size_t t) const { return planned(t).adjusts || (folder_ && work_.stores()); }

private:
    const PlannedTraining& planned(std::size_t t) const { return results_.plan.trainings[t]; }

    std::string title(const Part& part) const {
        const std::string network = title_of(planned(part.training), results_.class_names);
        if (part.stage == Stage::train) return "training " + network;
        if (part.stage == Stage::adjust) return "adjusting " + network;
        if (part.stage == Stage::pictures) return "pictures of " + network;
        const auto of = static_cast<std::size_t>(index(groups_[part.groups.front()].attacked_class));
        return "attacks on " + results_.class_names[of] + " by " + network;
    }

    void train(std::size_t job, std::size_t p, const std::function<void()>& go_on) {
        const std::size_t t = parts_[p].training;
        const TrainingSet data = make_training_set_(planned(t));
        progress_.tell(&StudyObserver::training_begins, t, data);
        CheckpointPlace at;
        if (folder_) {
            at = folder_->checkpoint(t);
            at.stop = [this] { return progress_.stop_wanted(); };
            at.saved = [this, p] { progress_.saved(p); };
        }
        const bool stops_itself = folder_ && work_.resumes();  // after its next update, with a checkpoint
        Trained trained = work_.train(
            job, t, planned(t).training_seed, data, test_,
            [&](const TrainingProgress& now) {
                go_on();
                if (!stops_itself && progress_.stop_wanted()) throw Stopped("a training was stopped");
                progress_.training(p, now);
            },
            at);
        TrainingResult result;
        result.history = std::move(trained.history);
        result.clean = std::move(trained.clean);
        result.counts = data.fit.counts();
        result.items = data.fit.items();
        result.validation_images = data.validation.size();
        keep_network(job, t);
        if (folder_ && !folder_->has_training(t)) folder_->keep_training(t, result);
        result.seconds = progress_.ends(p, result.history.stop == Stop::patience);
        progress_.tell(&StudyObserver::training_ends, t, result);
        keep_in_memory(t, std::move(result));
    }
    /// Where other parts find it.
    void keep_network(std::size_t job, std::size_t t) {
        if (folder_ && work_.stores())
            work_.save(job, t, folder_->network_file(t), folder_->notes(t));
        else
            work_.share(job, t);
        work_.hold_only(job, {});
    }
    void keep_in_memory(std::size_t t, TrainingResult result) {
        if (folder_) return;
        const std::scoped_lock lock(guard_);
        results_.trainings[t] = std::move(result);
    }
    TrainingResult result_of(std::size_t t) const {
        if (folder_) return folder_->training(t, results_);
        const std::scoped_lock lock(guard_);
        return results_.trainings[t];
    }

    void adjust(std::size_t job, std::size_t t) {
        hold(job, t);
        TrainingResult result = result_of(*planned(t).adjusts);
        result.seconds = 0;
        result.clean = work_.clean(job, t, test_);
        if (folder_) folder_->keep_training(t, result);
        keep_in_memory(t, std::move(result));
    }
    void hold(std::size_t job, std::size_t t) {
        if (work_.hold(job, t)) return;
        if (!planned(t).adjusts) {
            if (!restorable(t))
                throw ValueError(title_of(planned(t), results_.class_names) +
                                 ": this learner's networks cannot be stored; all parts that need one must be done by "
                                 "the process that trains it");
            return work_.load(job, t, folder_->network_file(t), folder_->notes(t));
        }
        const std::size_t of = *planned(t).adjusts;
        hold(job, of);
        work_.adjust(job, t, of, logit_offsets(result_of(of).counts));
    }

    void attack(std::size_t job, std::size_t p, const std::function<void()>& go_on) {
        std::vector<CellGroup> missing;
        std::vector<std::size_t> numbers, networks;
        for (const std::size_t g : parts_[p].groups) {
            if (failed_.is_lost(groups_[g]) || (folder_ && folder_->has_group(g))) continue;
            numbers.push_back(g);
            missing.push_back(groups_[g]);
            networks.insert(networks.end(), {groups_[g].source, groups_[g].victim});
        }
        if (missing.empty()) return;
        work_.hold_only(job, networks);
        for (const std::size_t t : networks) hold(job, t);
        std::size_t cells = 0, done = 0;
        std::vector<std::vector<Outcome>> clean;
        for (const CellGroup& g : missing) {
            cells += g.cells.size();
            clean.push_back(
                values_of_class(result_of(g.victim).clean.values(), results_.test_labels, g.attacked_class));
        }
        const TestData of_class = test_.of_class(missing.front().attacked_class);
        const std::vector<CellResult> results = work_.evaluate(job, results_.plan, missing, clean, of_class, [&] {
            go_on();
            if (progress_.stop_wanted()) throw Stopped("the study was stopped during its attacks");
            progress_.cell(p, static_cast<double>(++done) / static_cast<double>(cells));
        });
        std::size_t first = 0;
        for (std::size_t i = 0; i < missing.size(); ++i) {
            keep(numbers[i], std::span(results).subspan(first, missing[i].cells.size()));
            first += missing[i].cells.size();
        }
    }
    void keep(std::size_t g, std::span<const CellResult> cells) {
        if (folder_) return folder_->keep_group(g, cells);
        const std::scoped_lock lock(guard_);
        const CellGroup& group = groups_[g];
        for (std::size_t i = 0; i < cells.size(); ++i) results_.cells.put(group.cells[i], cells[i]);
    }

    void pictures(std::size_t job, std::size_t t) {
        hold(job, t);
        auto all = work_.pictures(job, t, test_.select(one_of_each_class(test_, result_of(t).clean)));
        if (folder_) return folder_->keep_pictures(all);
        const std::scoped_lock lock(guard_);
        results_.pictures = std::move(all);
    }

    StudyOperations& work_;
    const MakeTrainingSet& make_training_set_;
    const TestData& test_;
    StudyResults& results_;
    std::span<const CellGroup> groups_;
    std::span<const Part> parts_;
    const FailedTrainings& failed_;
    RunFolder* folder_;
    RunProgress& progress_;
    mutable std::mutex guard_;  // of the results in memory
};

}  // namespace SKEWGRAD_NAMESPACE::study
