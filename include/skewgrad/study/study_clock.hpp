// How long a study's parts take, and what is left, from what this process has measured.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <map>
#include <utility>

#include <skewgrad/study/parts.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// The cost of a training image in images passed forward: forward, gradient of activations, gradient of weights; and of
/// an attack's gradient at an image.
inline constexpr double passes_a_training_image = 3, passes_a_gradient = 2;

/// Divides the time that passes among the parts that are under way, so that their shares add up to it, and measures
/// what a unit of cost takes in each stage. Times are seconds since some moment that never decrease.
class StudyClock {
public:
    void begins(std::size_t part, Stage stage, double cost, double now) {
        pass(now);
        under_way_[part] = {.stage = stage, .cost = cost, .left = cost};
    }
    /// `done`: the share of the part that is done, 0 .. 1; `spent`: the cost of what this process did of it.
    void progress(std::size_t part, double done, double spent, double now) {
        pass(now);
        UnderWay& one = under_way_.at(part);
        Rate& rate = rates_[static_cast<std::size_t>(one.stage)];
        rate.spent += spent - one.spent;
        one.spent = spent;
        one.left = one.cost * (1 - done);
    }
    /// Its seconds until now, or since the last call.
    double take_seconds(std::size_t part, double now) {
        pass(now);
        return std::exchange(under_way_.at(part).seconds, 0.0);
    }
    /// The part is done, or given up. `early`: a training that stopped before its last round.
    void ends(std::size_t part, bool early, double now) {
        pass(now);
        const UnderWay& one = under_way_.at(part);
        if (early && one.cost > 0) ended_share_ += (one.cost - one.left) / one.cost, ++ended_early_;
        under_way_.erase(part);
    }

    /// Images a second in training, all networks together; NaN: nothing was measured.
    double images_per_second() const {
        const Rate& train = rates_[static_cast<std::size_t>(Stage::train)];
        return train.seconds > 0 ? train.spent / passes_a_training_image / train.seconds
                                 : std::numeric_limits<double>::quiet_NaN();
    }
    /// The time for what is under way and for `train` and `attack`, the costs of parts that are not begun. Trainings
    /// are taken to end as early as those that ended. NaN if nothing was measured.
    double seconds_left(double train, double attack) const {
        const double early = ended_early_ > 0 ? ended_share_ / ended_early_ : 1;
        train *= early;
        for (const auto& [part, one] : under_way_) {
            const double before_early = std::max(0.0, one.left - (1 - early) * one.cost);
            (one.stage == Stage::train ? train : attack) += one.stage == Stage::train ? before_early : one.left;
        }
        const auto seconds_a_unit = [&](Stage stage, Stage otherwise) {
            const Rate& own = rates_[static_cast<std::size_t>(stage)];
            const Rate& measured = own.spent > 0 ? own : rates_[static_cast<std::size_t>(otherwise)];
            return measured.seconds / measured.spent;  // NaN: nothing was measured
        };
        return (train > 0 ? train * seconds_a_unit(Stage::train, Stage::attack) : 0) +
               (attack > 0 ? attack * seconds_a_unit(Stage::attack, Stage::train) : 0);
    }

private:
    struct UnderWay {
        Stage stage = Stage::train;
        double cost = 0, left = 0, spent = 0, seconds = 0;
    };
    struct Rate {
        double spent = 0, seconds = 0;
    };
    void pass(double now) {
        const double each = (now - last_) / static_cast<double>(std::max<std::size_t>(1, under_way_.size()));
        for (auto& [part, one] : under_way_) {
            one.seconds += each;
            rates_[static_cast<std::size_t>(one.stage)].seconds += each;
        }
        last_ = now;
    }

    std::map<std::size_t, UnderWay> under_way_;
    std::array<Rate, 5> rates_{};
    double last_ = 0, ended_share_ = 0;
    int ended_early_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE::study
