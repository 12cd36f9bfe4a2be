// Shows a study on a progress display: one job a training, one for all cells.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/command_line/progress.hpp>
#include <skewgrad/command_line/study_status.hpp>
#include <skewgrad/command_line/training_progress.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

/// An observer that draws on `progress`, which must outlive it. `looks`: the most a training can have.
inline StudyObserver show_study(Progress& progress, std::vector<std::string> class_names, int looks) {
    struct State {
        Plan plan;
        std::vector<std::string> names;
        TrainingDisplay training;
        StudyProgress whole;
        bool cells_begun = false;
    };
    auto state = std::make_shared<State>(State{{}, std::move(class_names), TrainingDisplay(progress), {}, false});
    StudyObserver observer;
    observer.planned = [state, &progress](const Plan& plan) {
        state->plan = plan;
        progress.note(format_count(plan.trained()) + " trainings, " + format_count(plan.cells.size()) + " cells");
        for (const std::string& part : plan.left_out) progress.note("left out: " + part);
    };
    observer.found = [&progress](std::size_t trainings, std::size_t cells) {
        if (trainings + cells > 0)
            progress.note("there already: " + format_count(trainings) + " trainings, " + format_count(cells) +
                          " cells");
    };
    observer.training_begins = [state, &progress, looks](std::size_t t, const Arranged& data) {
        state->training = TrainingDisplay(progress);
        const std::string place =
            std::to_string(state->whole.trainings_done + 1) + "/" + std::to_string(state->plan.trained()) + " ";
        progress.begin(place + title_of(state->plan.trainings[t], state->names),
                       static_cast<std::uint64_t>(looks) * static_cast<std::uint64_t>(data.updates_per_look));
    };
    observer.training = [state](const TrainingProgress& p) { state->training(p); };
    observer.training_ends = [state, &progress](std::size_t, const TrainingResult& result) {
        if (result.history.looks.empty()) return progress.finish();
        const Look& last = result.history.looks.back();
        progress.finish(std::to_string(last.look) + " looks, best " + std::to_string(result.history.best_look) +
                        ", held-out loss " + fixed(result.history.best_loss, 3) + ", stopped by " +
                        to_string(result.history.stop) + "; all ends in " + format_end(state->whole.seconds_left));
    };
    observer.progress = [state](const StudyProgress& whole) {
        state->whole = whole;
        state->training.whole_seconds_left.reset();
        if (std::isfinite(whole.seconds_left)) state->training.whole_seconds_left = whole.seconds_left;
    };
    observer.cells = [state, &progress](std::size_t done, std::size_t of) {
        if (!std::exchange(state->cells_begun, true)) progress.begin("attacks", of, done - (done < of));
        progress.update(done);
        if (done == of) progress.finish(format_count(of) + " cells");
    };
    return observer;
}

}  // namespace SKEWGRAD_NAMESPACE
