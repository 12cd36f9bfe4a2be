// Shows a training on a progress display: one job a training, measured in looks.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <skewgrad/command_line/progress.hpp>
#include <skewgrad/train/recipe.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A training observer that draws loss, accuracy, images per second and time left. The display must outlive it.
class TrainingDisplay {
public:
    explicit TrainingDisplay(Progress& progress) : progress_(&progress) {}

    /// Shown beside each training: how long all that it is a part of will take.
    std::optional<double> whole_seconds_left;

    void operator()(const TrainingProgress& p) {
        const auto now = std::chrono::steady_clock::now();
        if (!timing_) {
            timing_ = true;
            began_ = now;
            first_images_ = p.images;
        }
        const double seconds = std::chrono::duration<double>(now - began_).count();
        Gauges gauges{
            .loss = p.loss, .accuracy = p.accuracy, .images_per_second = {}, .whole_seconds_left = whole_seconds_left};
        if (seconds > 0) gauges.images_per_second = static_cast<double>(p.images - first_images_) / seconds;
        progress_->update(static_cast<std::uint64_t>(p.look - 1) * static_cast<std::uint64_t>(p.updates) +
                              static_cast<std::uint64_t>(p.update),
                          gauges);
    }

private:
    Progress* progress_;
    bool timing_ = false;
    std::chrono::steady_clock::time_point began_;
    std::uint64_t first_images_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE
