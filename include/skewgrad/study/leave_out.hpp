// Removes failed trainings from a study's results, so that readers find only networks and cells that exist.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Removes from plan and records every training that has a reason in `failed` (one text for each training, empty if it
/// did not fail), and each cell whose victim or source it is. `results.failed` lists them with the reasons.
inline void leave_out(StudyResults& results, const std::vector<std::string>& failed) {
    if (std::ranges::all_of(failed, [](const std::string& reason) { return reason.empty(); })) return;
    const auto lost = [&](std::size_t t) { return !failed[t].empty(); };
    Plan rest;
    rest.left_out = results.plan.left_out;
    rest.attacks = results.plan.attacks;
    std::vector<std::size_t> now(failed.size());  // each training's number among the remaining ones
    std::vector<TrainingResult> trainings;
    for (std::size_t t = 0; t < failed.size(); ++t) {
        PlannedTraining& planned = results.plan.trainings[t];
        if (lost(t)) {
            results.failed.push_back({title_of(planned, results.class_names), failed[t], 0});
            for (const PlannedCell& cell : results.plan.cells)
                results.failed.back().cells += cell.victim == t || cell.source == t;
            continue;
        }
        if (planned.adjusts) planned.adjusts = now[*planned.adjusts];
        now[t] = rest.training(planned);
        trainings.push_back(std::move(results.trainings[t]));
    }
    std::vector<std::size_t> cells;  // the remaining ones
    for (std::size_t i = 0; i < results.plan.cells.size(); ++i) {
        PlannedCell cell = results.plan.cells[i];
        if (lost(cell.victim) || lost(cell.source)) continue;
        cell.victim = now[cell.victim];
        cell.source = now[cell.source];
        rest.cell(cell);
        cells.push_back(i);
    }
    results.plan = std::move(rest);
    results.trainings = std::move(trainings);
    results.cells = results.cells.select(cells);
}

}  // namespace SKEWGRAD_NAMESPACE::study
