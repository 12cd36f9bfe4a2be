// Runs a planned study, with a folder or without: trains what is missing, evaluates what is missing, keeps each part.
#pragma once
#include <cstddef>
#include <ctime>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/standing.hpp>
#include <skewgrad/study/train_networks.hpp>
#include <skewgrad/study/work.hpp>

namespace SKEWGRAD_NAMESPACE::study {

class CarryOut {
public:
    /// What is given must live on; no folder: in memory.
    CarryOut(Work& work, Arrange arrange, StudyResults& results, const TestData& test, RunFolder* folder,
             const StudyObserver& observer)
        : work_(work),
          arrange_(std::move(arrange)),
          results_(results),
          test_(test),
          folder_(folder),
          observer_(observer),
          standing_(observer, folder),
          progress_(standing_.progress) {
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
        const double began = now_seconds();
        results_.began = folder_ ? folder_->began() : std::time(nullptr);
        if (observer_.planned) observer_.planned(results_.plan);
        take_what_is_there();
        train(jobs);
        for (std::size_t t = 0; t < known_.size(); ++t)
            if (adjusted(t) && !known_[t]) adjust(t);
        attack();
        take_pictures();
        progress_.job.clear();
        standing_.tell(true);
        results_.seconds = folder_ ? folder_->seconds() : now_seconds() - began;
    }

private:
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
        for_each_batch(
            [&](std::span<const std::size_t> batch) { standing_.clock.attack_passes_left += passes(batch); });
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
        TrainNetworks(work_, arrange_, results_, test_, folder_, standing_).run(missing, jobs, [&](std::size_t t) {
            progress_.trainings_done += !known_[t];
            known_[t] = true;
            if (droppable(t)) work_.forget(t);
        });
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
            const double began = now_seconds(), cost = passes(batch);
            const std::vector<CellGroup> some = groups_of(batch);
            const CellGroup& first = some.front();
            progress_.job = "attacks on " +
                            results_.class_names[static_cast<std::size_t>(index(first.attacked_class))] + " by " +
                            title_of(planned(first.source), results_.class_names);
            standing_.tell(false);
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
            standing_.clock.attacked(cost, now_seconds() - began);
            standing_.clock.attack_passes_left -= cost;
            if (!folder_) return standing_.tell(false);
            for (const std::size_t g : batch) {
                folder_->keep_group(g, groups_[g], results_);
                folder_->add_group_seconds(g, (now_seconds() - began) / static_cast<double>(batch.size()));
            }
            folder_->write_times();
            standing_.tell(false);
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

    Work& work_;
    Arrange arrange_;
    StudyResults& results_;
    const TestData& test_;
    RunFolder* folder_;
    const StudyObserver& observer_;
    std::vector<CellGroup> groups_;
    std::vector<bool> known_, missing_;  // trainings whose results are there; groups whose results are not
    Standing standing_;
    StudyProgress& progress_;
};

}  // namespace SKEWGRAD_NAMESPACE::study
