// Shows a study on a progress display: one job a training, one for all cells.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/command_line/progress.hpp>
#include <skewgrad/command_line/training_progress.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

/// "3/22 Under cat": a training's place in the plan and what it is trained on.
inline std::string training_title(const Plan& plan, std::size_t training, const std::vector<std::string>& class_names) {
    const PlannedTraining& t = plan.trainings[training];
    std::string title = std::to_string(training + 1) + "/" + std::to_string(plan.trainings.size()) + " " +
                        t.key.sampler.at("name").get<std::string>();
    if (t.skewed) title += " " + class_names[static_cast<std::size_t>(index(*t.skewed))];
    return title + ", seed " + std::to_string(t.seed.value);
}

/// An observer that draws on `progress`, which must outlive it. `looks`: the most a training can have.
inline StudyObserver show_study(Progress& progress, std::vector<std::string> class_names, int looks) {
    struct State {
        Plan plan;
        std::vector<std::string> names;
        TrainingDisplay training;
        bool cells_begun = false;
    };
    auto state = std::make_shared<State>(State{{}, std::move(class_names), TrainingDisplay(progress), false});
    StudyObserver observer;
    observer.planned = [state, &progress](const Plan& plan) {
        state->plan = plan;
        progress.note(std::to_string(plan.trainings.size()) + " trainings, " + std::to_string(plan.cells.size()) +
                      " cells");
    };
    observer.training_begins = [state, &progress, looks](std::size_t t, const Arranged& data) {
        state->training = TrainingDisplay(progress);
        progress.begin(training_title(state->plan, t, state->names),
                       static_cast<std::uint64_t>(looks) * static_cast<std::uint64_t>(data.updates_per_look));
    };
    observer.training = [state](const TrainingProgress& p) { state->training(p); };
    observer.training_ends = [&progress](std::size_t, const TrainingResult& result) {
        const Look& last = result.history.looks.back();
        progress.finish(std::to_string(last.look) + " looks, best " + std::to_string(result.history.best_look) +
                        ", held-out loss " + fixed(result.history.best_loss, 3) + ", stopped by " +
                        to_string(result.history.stop));
    };
    observer.cells = [state, &progress](std::size_t done, std::size_t of) {
        if (!std::exchange(state->cells_begun, true)) progress.begin("attacks", of);
        progress.update(done);
        if (done == of) progress.finish(std::to_string(of) + " cells");
    };
    return observer;
}

}  // namespace SKEWGRAD_NAMESPACE
