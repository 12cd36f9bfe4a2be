// Shows a study on a progress display: one job a training, or one for all that are trained at a time; one for all
// cells.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/command_line/progress.hpp>
#include <skewgrad/command_line/study_status.hpp>
#include <skewgrad/command_line/training_progress.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace command_line {

/// The trainings that are under way, as one job of the display.
class TrainingsDisplay {
public:
    explicit TrainingsDisplay(Progress& progress) : progress_(&progress), alone_(progress) {}

    double whole_seconds_left = std::numeric_limits<double>::quiet_NaN(),
           images_per_second = std::numeric_limits<double>::quiet_NaN();

    /// `title`: "3/24 Under cat, seed 1"; `updates`: the most that it can take.
    void begins(std::size_t training, std::string title, std::uint64_t updates) {
        under_way_.push_back({training, std::move(title), updates});
        show();
    }
    void update(std::size_t training, const TrainingProgress& p) {
        find(training)->done = static_cast<std::uint64_t>(p.look - 1) * static_cast<std::uint64_t>(p.updates) +
                               static_cast<std::uint64_t>(p.update);
        const std::optional<double> left =
            std::isfinite(whole_seconds_left) ? std::optional(whole_seconds_left) : std::nullopt;
        if (under_way_.size() == 1) {
            alone_.whole_seconds_left = left;
            return alone_(p);
        }
        Gauges gauges;
        gauges.whole_seconds_left = left;
        if (std::isfinite(images_per_second)) gauges.images_per_second = images_per_second;
        progress_->update(done(), gauges);
    }
    /// `message`: what came of it, without the time; it took `seconds`.
    void ends(std::size_t training, const std::string& message, double seconds) {
        const auto ended = find(training);
        if (under_way_.size() == 1) {
            under_way_.clear();
            return progress_->finish(message);
        }
        progress_->note(ended->title + ": " + message + " (" + format_duration(seconds) + ")");
        under_way_.erase(ended);
        show();
    }

private:
    struct Training {
        std::size_t number = 0;
        std::string title;
        std::uint64_t updates = 0, done = 0;
    };
    std::vector<Training>::iterator find(std::size_t training) {
        return std::ranges::find(under_way_, training, &Training::number);
    }
    std::uint64_t done() const {
        std::uint64_t sum = 0;
        for (const Training& t : under_way_) sum += t.done;
        return sum;
    }
    void show() {
        std::uint64_t updates = 0;
        for (const Training& t : under_way_) updates += t.updates;
        const std::size_t more = under_way_.size() - 1;
        progress_->begin(under_way_.front().title + (more ? " and " + std::to_string(more) + " more" : ""), updates,
                         done());
        alone_ = TrainingDisplay(*progress_);
    }

    Progress* progress_;
    TrainingDisplay alone_;
    std::vector<Training> under_way_;
};

}  // namespace command_line

/// An observer that draws on `progress`, which must outlive it. `looks`: the most a training can have.
inline StudyObserver show_study(Progress& progress, std::vector<std::string> class_names, int looks) {
    struct State {
        Plan plan;
        std::vector<std::string> names;
        command_line::TrainingsDisplay trainings;
        std::size_t begun = 0;
        bool cells_begun = false;
    };
    auto state =
        std::make_shared<State>(State{{}, std::move(class_names), command_line::TrainingsDisplay(progress), 0, false});
    StudyObserver observer;
    observer.planned = [state, &progress](const Plan& plan) {
        state->plan = plan;
        progress.note(format_count(plan.trained()) + " trainings, " + format_count(plan.cells.size()) + " cells");
        for (const std::string& part : plan.left_out) progress.note("left out: " + part);
    };
    observer.found = [state, &progress](std::size_t trainings, std::size_t cells) {
        state->begun = trainings;
        if (trainings + cells > 0)
            progress.note("there already: " + format_count(trainings) + " trainings, " + format_count(cells) +
                          " cells");
    };
    observer.training_begins = [state, looks](std::size_t t, const Arranged& data) {
        const std::string place = std::to_string(++state->begun) + "/" + std::to_string(state->plan.trained()) + " ";
        state->trainings.begins(t, place + title_of(state->plan.trainings[t], state->names),
                                static_cast<std::uint64_t>(looks) * static_cast<std::uint64_t>(data.updates_per_look));
    };
    observer.training = [state](std::size_t t, const TrainingProgress& p) { state->trainings.update(t, p); };
    observer.training_ends = [state](std::size_t t, const TrainingResult& result) {
        const History& history = result.history;
        std::string message = "done";
        if (!history.looks.empty())
            message = std::to_string(history.looks.back().look) + " looks, best " + std::to_string(history.best_look) +
                      ", held-out loss " + fixed(history.best_loss, 3) + ", stopped by " + to_string(history.stop) +
                      "; all ends in " + format_end(state->trainings.whole_seconds_left);
        state->trainings.ends(t, message, result.seconds);
    };
    observer.progress = [state](const StudyProgress& whole) {
        state->trainings.whole_seconds_left = whole.seconds_left;
        state->trainings.images_per_second = whole.images_per_second;
    };
    observer.cells = [state, &progress](std::size_t done, std::size_t of) {
        if (!std::exchange(state->cells_begun, true)) progress.begin("attacks", of, done - (done < of));
        progress.update(done);
        if (done == of) progress.finish(format_count(of) + " cells");
    };
    return observer;
}

}  // namespace SKEWGRAD_NAMESPACE
