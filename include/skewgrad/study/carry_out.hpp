// Runs a planned study, with a folder or without: trains what is missing, evaluates what is missing, keeps each part.
#pragma once
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <functional>
#include <limits>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/jobs.hpp>
#include <skewgrad/study/run_folder.hpp>
#include <skewgrad/study/shared_time.hpp>
#include <skewgrad/study/work.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Told what a study does, by one thread at a time; any part may be left empty.
struct StudyObserver {
    std::function<void(const Plan&)> planned;
    /// What a run's folder held already: networks trained, cells evaluated.
    std::function<void(std::size_t trainings, std::size_t cells)> found;
    std::function<void(std::size_t training, const Arranged&)> training_begins;
    std::function<void(std::size_t training, const TrainingProgress&)> training;
    std::function<void(std::size_t training, const TrainingResult&)> training_ends;
    std::function<void(std::size_t done, std::size_t of)> cells;
    /// Where the whole study stands: several times a look, and after each group of cells.
    std::function<void(const StudyProgress&)> progress;
};

namespace study {

class CarryOut {
public:
    using Arrange = std::function<Arranged(const PlannedTraining&)>;

    /// `arrange` gives a training its data; several jobs may ask at once. What is given must live on; no folder: in
    /// memory.
    CarryOut(Work& work, Arrange arrange, StudyResults& results, const TestData& test, RunFolder* folder,
             const StudyObserver& observer)
        : work_(work),
          arrange_(std::move(arrange)),
          results_(results),
          test_(test),
          folder_(folder),
          observer_(observer) {
        const std::size_t trainings = results.plan.trainings.size();
        results_.trainings.resize(trainings);
        results_.cells.resize(results.plan.cells.size());
        groups_ = results.plan.groups();
        known_.resize(trainings);
        progress_.trainings = results.plan.trained();
        progress_.cells = results.plan.cells.size();
    }

    /// Trains as many networks at a time as are wanted, or as the learner can.
    void run(int jobs) {
        const double began = now();
        results_.began = folder_ ? folder_->began() : std::time(nullptr);
        if (observer_.planned) observer_.planned(results_.plan);
        take_what_is_there();
        train(jobs);
        for (std::size_t t = 0; t < known_.size(); ++t)
            if (adjusted(t) && !known_[t]) adjust(t);
        attack();
        take_pictures();
        progress_.job.clear();
        tell(true);
        results_.seconds = folder_ ? folder_->seconds() : now() - began;
    }

private:
    static double now() {
        return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    }
    const PlannedTraining& planned(std::size_t t) const { return results_.plan.trainings[t]; }
    bool adjusted(std::size_t t) const { return planned(t).adjusts.has_value(); }

    void take_what_is_there() {
        missing_.assign(groups_.size(), true);
        if (folder_) {
            for (std::size_t t = 0; t < known_.size(); ++t) {
                if (!folder_->has_training(t)) continue;
                results_.trainings[t] = folder_->training(t, test_.size());
                folder_->drop_checkpoint(t);
                known_[t] = true;
                progress_.trainings_done += !adjusted(t);
            }
            for (std::size_t g = 0; g < groups_.size(); ++g) {
                const CellGroup& group = groups_[g];
                if (!folder_->has_group(g) || !known_[group.victim]) continue;
                folder_->read_group(g, group, results_);
                for (const std::size_t cell : group.cells) keep_clean(results_, cell);
                missing_[g] = false;
                progress_.cells_done += group.cells.size();
            }
        }
        for_each_batch([&](std::span<const std::size_t> batch) { clock_.attack_passes_left += passes(batch); });
        if (observer_.found) observer_.found(progress_.trainings_done, progress_.cells_done);
    }
    /// Whether cells are missing that this network attacks or suffers, as it is or adjusted.
    bool needed(std::size_t t) const {
        const auto is = [&](std::size_t network) { return network == t || planned(network).adjusts == t; };
        for (std::size_t g = 0; g < groups_.size(); ++g)
            if (missing_[g] && (is(groups_[g].victim) || is(groups_[g].source))) return true;
        return false;
    }

    void train(int jobs) {
        std::vector<std::size_t> missing;
        // A network that no file can hold is trained again where cells are missing that need it.
        for (std::size_t t = 0; t < known_.size(); ++t)
            if (!adjusted(t) && (!known_[t] || (!work_.stores() && needed(t) && !work_.holds(t)))) missing.push_back(t);
        const int most = static_cast<int>(std::max<std::size_t>(1, missing.size()));
        const int can = work_.prepare(known_.size(), std::min(jobs, most));
        jobs_.run(static_cast<std::size_t>(can), missing.size(),
                  [&](std::size_t job, std::size_t i) { train(static_cast<int>(job), missing[i]); });
    }

    /// Names the first of the networks that are trained just now.
    void name_trainings() {
        if (under_way_.empty()) return;
        progress_.job = "training " + title_of(planned(under_way_.front()), results_.class_names);
        if (under_way_.size() > 1) progress_.job += " and " + std::to_string(under_way_.size() - 1) + " more";
    }
    void train(int job, std::size_t t) {
        std::unique_lock lock(guard_);
        under_way_.push_back(t);
        time_.changes(now(), under_way_.size());
        double since = time_.read(now());
        const auto split = [&] {  // of the seconds since the last time it was asked, its share
            const double at = time_.read(now());
            return at - std::exchange(since, at);
        };
        if (under_way_.size() == 1) progress_.look = 0;
        name_trainings();
        clock_.trainings_left = static_cast<double>(progress_.trainings - progress_.trainings_done) -
                                static_cast<double>(under_way_.size());
        tell(true);
        lock.unlock();
        const Arranged data = arrange_(planned(t));
        lock.lock();
        if (observer_.training_begins) observer_.training_begins(t, data);
        CheckpointPlace at;
        if (folder_) {
            at = folder_->checkpoint(t);
            at.saved = [&] {
                const std::scoped_lock saved(guard_);
                folder_->add_training_seconds(t, split());
                folder_->write_times();
                tell(true);
            };
        }
        const auto observe = [&](const TrainingProgress& p) {
            jobs_.go_on();
            const std::scoped_lock told(guard_);
            clock_.training(t, p, now());
            if (under_way_.front() == t) {
                progress_.look = p.look;
                progress_.looks = p.looks;
                progress_.loss = p.loss;
            }
            tell(false);
            if (observer_.training) observer_.training(t, p);
        };
        lock.unlock();
        TrainingResult result;
        auto trained = work_.train(job, t, planned(t).training_seed, data, test_, observe, folder_ ? &at : nullptr);
        result.history = std::move(trained.history);
        result.clean = std::move(trained.clean);
        result.counts = data.fit.counts();
        result.items = data.fit.items();
        result.held_out = data.held.size();
        lock.lock();
        clock_.training_ended(t, result.history);
        if (folder_) {
            if (work_.stores()) work_.save(t, folder_->network_file(t), folder_->notes(t));
            if (!known_[t]) folder_->keep_training(t, result);
            folder_->add_training_seconds(t, split());
            folder_->write_times();
            result.seconds = folder_->training_seconds(t);
        } else {
            result.seconds = split();
        }
        progress_.trainings_done += !known_[t];
        known_[t] = true;
        std::erase(under_way_, t);
        time_.changes(now(), under_way_.size());
        name_trainings();
        results_.trainings[t] = std::move(result);
        if (droppable(t)) work_.forget(t);
        tell(true);
        if (observer_.training_ends) observer_.training_ends(t, results_.trainings[t]);
    }

    void adjust(std::size_t t) {
        hold(t);
        const std::size_t of = *planned(t).adjusts;
        TrainingResult result = results_.trainings[of];
        result.seconds = 0;
        result.clean = work_.clean(t, test_);
        if (folder_) folder_->keep_training(t, result);
        results_.trainings[t] = std::move(result);
        known_[t] = true;
        for (const std::size_t network : {t, of})
            if (droppable(network)) work_.forget(network);
    }

    /// Whether a network can be had again without being trained.
    bool droppable(std::size_t t) const { return adjusted(t) || (folder_ && work_.stores()); }
    void hold(std::size_t t) {
        if (work_.holds(t)) return;
        if (!adjusted(t)) return work_.load(t, folder_->network_file(t), folder_->notes(t));
        const std::size_t of = *planned(t).adjusts;
        hold(of);
        work_.adjust(t, of, logit_offsets(results_.trainings[of].counts));
    }

    /// visit(numbers of groups) for the missing groups of each source and class.
    template <class Visit>
    void for_each_batch(Visit visit) const {
        std::vector<std::size_t> batch;
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            const bool goes_on = !batch.empty() && groups_[batch.front()].source == groups_[g].source &&
                                 groups_[batch.front()].attacked_class == groups_[g].attacked_class;
            if (!goes_on && !batch.empty()) {
                visit(batch);
                batch.clear();
            }
            if (missing_[g]) batch.push_back(g);
        }
        if (!batch.empty()) visit(batch);
    }
    std::vector<CellGroup> groups_of(std::span<const std::size_t> batch) const {
        std::vector<CellGroup> some;
        for (const std::size_t g : batch) some.push_back(groups_[g]);
        return some;
    }
    double passes(std::span<const std::size_t> batch) const {
        return work_.passes(results_.plan, groups_of(batch)) *
               static_cast<double>(test_.of_class(groups_[batch.front()].attacked_class).size());
    }

    void attack() {
        if (observer_.cells && progress_.cells_done == progress_.cells)
            observer_.cells(progress_.cells, progress_.cells);
        for_each_batch([&](std::span<const std::size_t> batch) {
            const double began = now(), cost = passes(batch);
            const std::vector<CellGroup> some = groups_of(batch);
            const CellGroup& first = some.front();
            progress_.job = "attacks on " +
                            results_.class_names[static_cast<std::size_t>(index(first.attacked_class))] + " by " +
                            title_of(planned(first.source), results_.class_names);
            tell(false);
            std::vector<bool> wanted(known_.size());
            for (const CellGroup& g : some) wanted[g.victim] = wanted[g.source] = true;
            for (std::size_t t = 0; t < wanted.size(); ++t)
                if (!wanted[t] && droppable(t)) work_.forget(t);
            for (std::size_t t = 0; t < wanted.size(); ++t)
                if (wanted[t]) hold(t);
            work_.evaluate(results_, some, test_.of_class(first.attacked_class), [&] {
                ++progress_.cells_done;
                if (observer_.cells) observer_.cells(progress_.cells_done, progress_.cells);
            });
            clock_.attacked(cost, now() - began);
            clock_.attack_passes_left -= cost;
            if (!folder_) return tell(false);
            for (const std::size_t g : batch) {
                folder_->keep_group(g, groups_[g], results_);
                folder_->add_group_seconds(g, (now() - began) / static_cast<double>(batch.size()));
            }
            folder_->write_times();
            tell(false);
        });
    }

    /// Of the first network, which is balanced, where it is held or can be had from its file.
    void take_pictures() {
        constexpr std::size_t first = 0;
        if (known_.empty()) return;
        if (!work_.holds(first)) {
            if (!folder_ || !work_.stores() || !std::filesystem::exists(folder_->network_file(first))) return;
            hold(first);
        }
        results_.pictures =
            work_.pictures(first, test_.select(one_of_each_class(test_, results_.trainings[first].clean)));
    }

    void tell(bool at_once) {
        progress_.images_per_second = clock_.images_per_second();
        progress_.seconds_left = clock_.seconds_left();
        if (observer_.progress) observer_.progress(progress_);
        constexpr double often_enough = 2;  // seconds between two writes of what only people read
        if (!folder_ || (!at_once && now() - written_ < often_enough)) return;
        folder_->write_progress(progress_);
        written_ = now();
    }

    Work& work_;
    Arrange arrange_;
    StudyResults& results_;
    const TestData& test_;
    RunFolder* folder_;
    const StudyObserver& observer_;
    std::vector<CellGroup> groups_;
    std::vector<bool> known_, missing_;  // trainings whose results are there; groups whose results are not
    // Jobs that train take the guard for all that is not their own.
    Jobs jobs_;
    std::mutex guard_;
    std::vector<std::size_t> under_way_;  // trainings, those begun first in front
    SharedTime time_;
    StudyProgress progress_;
    StudyClock clock_;
    double written_ = -std::numeric_limits<double>::infinity();
};

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
