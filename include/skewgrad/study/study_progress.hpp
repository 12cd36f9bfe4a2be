// Where a whole study stands, and when it will end: told to observers, kept in a run's folder for others to read.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include <skewgrad/train/recipe.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Not a number: not known (yet).
struct StudyProgress {
    std::size_t trainings = 0, trainings_done = 0;  ///< networks to train, and those that are trained
    std::size_t cells = 0, cells_done = 0;
    std::string job;  ///< "training Under cat, seed 1"; empty: all is done
    int look = 0, looks = 0;
    double loss = std::numeric_limits<double>::quiet_NaN();               ///< of the look in progress, nats
    double images_per_second = std::numeric_limits<double>::quiet_NaN();  ///< trained on
    double seconds_left = std::numeric_limits<double>::quiet_NaN();       ///< of the whole study

    bool done() const { return job.empty() && trainings_done == trainings && cells_done == cells; }

    nlohmann::json json() const {
        return {{"trainings", trainings},
                {"trainings_done", trainings_done},
                {"cells", cells},
                {"cells_done", cells_done},
                {"job", job},
                {"look", look},
                {"looks", looks},
                {"loss", loss},
                {"images_per_second", images_per_second},
                {"seconds_left", seconds_left}};
    }
    /// Throws nlohmann's exceptions for anything but what `json` gives.
    static StudyProgress from(const nlohmann::json& j) {
        const auto number = [&](const char* key) {
            return j.at(key).is_null() ? std::numeric_limits<double>::quiet_NaN() : j.at(key).get<double>();
        };
        return {.trainings = j.at("trainings"),
                .trainings_done = j.at("trainings_done"),
                .cells = j.at("cells"),
                .cells_done = j.at("cells_done"),
                .job = j.at("job"),
                .look = j.at("look"),
                .looks = j.at("looks"),
                .loss = number("loss"),
                .images_per_second = number("images_per_second"),
                .seconds_left = number("seconds_left")};
    }
};

namespace study {

/// Estimates what is left from what this process has measured. Its unit is one image's forward pass; a training image
/// costs three (forward, gradient of values, gradient of weights), an attack's gradient two.
class StudyClock {
public:
    static constexpr double passes_a_training_image = 3, passes_a_gradient = 2;

    double trainings_left = 0;  ///< whole trainings, the one in progress apart
    double attack_passes_left = 0;

    /// Seconds since some moment, at each call; `p` as an observer is told.
    void training(const TrainingProgress& p, double now) {
        if (!in_training_) {
            in_training_ = true;
            last_now_ = now;
            last_images_ = p.images;
        }
        seconds_ += now - last_now_;
        images_ += static_cast<double>(p.images - last_images_);
        last_now_ = now;
        last_images_ = p.images;
        const double made = (p.look - 1) * static_cast<double>(p.updates) + p.update;
        images_an_update_ = made > 0 ? static_cast<double>(p.images) / made : images_an_update_;
        a_training_ = expected_looks(p.looks) * p.updates * images_an_update_;
        current_ = std::max(0.0, a_training_ - static_cast<double>(p.images));
    }
    void training_ended(const History& history) {
        in_training_ = false;
        current_ = 0;
        if (history.stop == Stop::patience) ended_looks_ += static_cast<double>(history.looks.size()), ++ended_;
    }
    void attacked(double passes, double seconds) {
        attack_passes_ += passes;
        attack_seconds_ += seconds;
    }
    double images_per_second() const {
        return seconds_ > 0 ? images_ / seconds_ : std::numeric_limits<double>::quiet_NaN();
    }
    double seconds_left() const {
        const double image = seconds_ / images_;  // not a number where nothing was measured
        const double pass = attack_passes_ > 0 ? attack_seconds_ / attack_passes_ : image / passes_a_training_image;
        const double training = current_ + trainings_left * a_training_;
        return (training > 0 || trainings_left > 0 ? training * image : 0) +
               (attack_passes_left > 0 ? attack_passes_left * pass : 0);
    }

private:
    /// What trainings that ended by patience took on average, before that the most there can be.
    double expected_looks(int most) const { return ended_ > 0 ? std::min<double>(most, ended_looks_ / ended_) : most; }

    bool in_training_ = false;
    double last_now_ = 0;
    std::uint64_t last_images_ = 0;
    double seconds_ = 0, images_ = 0, images_an_update_ = 0;  // measured here
    double a_training_ = 0, current_ = 0;                     // images of one, images left of the one in progress
    double ended_looks_ = 0;
    int ended_ = 0;
    double attack_passes_ = 0, attack_seconds_ = 0;
};

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
