// A study's results from its run's folder: checked before the work, collected after it.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/study/failed_trainings.hpp>
#include <skewgrad/study/parts.hpp>
#include <skewgrad/study/results.hpp>
#include <skewgrad/study/run_folder.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Reads every result that the folder holds and drops it, so that damage is found before the work, not after it. Throws
/// FileError, naming the file. `study`: the plan, the classes and the test images.
inline void check_results(const StudyResults& study, const RunFolder& folder, std::span<const CellGroup> groups) {
    for (std::size_t t = 0; t < study.plan.trainings.size(); ++t)
        if (!folder.failure(t) && folder.has_training(t)) (void)folder.training(t, study);
    for (std::size_t g = 0; g < groups.size(); ++g)
        if (folder.has_group(g)) (void)folder.group(g);
    if (!study.plan.trainings.empty() && folder.has_pictures()) (void)folder.pictures(study);
}

/// Puts all results of the folder into `results`, but those of lost networks. Cells are read when they are used.
/// Deletes checkpoints that are left of trainings that are done.
inline void collect_results(StudyResults& results, const RunFolder& folder, std::span<const Part> parts,
                            std::span<const CellGroup> groups, const FailedTrainings& failed) {
    const std::vector<ProcessLog> logs = folder.logs();
    const std::map<std::string, double> seconds = seconds_by_part(logs);
    results.began = first_beginning(logs);
    results.seconds = 0;
    for (const auto& [part, took] : seconds) results.seconds += took;
    results.record["hardware"] = folder.hardware();
    results.record["bits_of_one_machine"] = results.record["hardware"].size() == 1;
    results.trainings.assign(results.plan.trainings.size(), {});
    results.cells = CellResults(results.plan.cells.size());
    for (const Part& part : parts) {
        const std::size_t t = part.training;
        if ((part.stage == Stage::train || part.stage == Stage::adjust) && !failed.is_lost(t)) {
            results.trainings[t] = folder.training(t, results);
            folder.drop_checkpoint(t);
            if (const auto took = seconds.find(part.name); took != seconds.end() && part.stage == Stage::train)
                results.trainings[t].seconds = took->second;
        }
        for (const std::size_t g : part.groups) {
            const CellGroup& group = groups[g];
            if (failed.is_lost(group)) continue;
            const auto images = std::ranges::count(results.test_labels, group.attacked_class);
            results.cells.read_from(group.cells, static_cast<std::size_t>(images),
                                    folder.reader_of(g, results.trainings[group.victim].clean));
        }
        if (part.stage == Stage::pictures && !failed.is_lost(t)) results.pictures = folder.pictures(results);
    }
}

}  // namespace SKEWGRAD_NAMESPACE::study
