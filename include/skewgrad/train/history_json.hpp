// A training's history as JSON: written beside its weights, and read again with every entry checked.
#pragma once
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include <skewgrad/core/config.hpp>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/train/recipe.hpp>

namespace SKEWGRAD_NAMESPACE::checkpoint {

// JSON has no infinity and no NaN: both are null there.
inline nlohmann::json to_json(const Round& l) {
    return {{"round", l.round},
            {"updates", l.updates},
            {"epoch", l.epoch},
            {"train_loss", l.train_loss},
            {"train_accuracy", l.train_accuracy},
            {"validation_loss", l.validation_loss},
            {"validation_accuracy", l.validation_accuracy},
            {"best", l.best}};
}

inline nlohmann::json to_json(const History& h) {
    nlohmann::json rounds = nlohmann::json::array();
    for (const Round& round : h.rounds) rounds.push_back(to_json(round));
    return {{"best_round", h.best_round},
            {"best_loss", h.best_loss},
            {"stop", static_cast<int>(h.stop)},
            {"rounds", std::move(rounds)}};
}

/// Throws FileError where an entry is missing, of another type or out of range.
inline Round round_from(const JsonEntry& j) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return {.round = j.at("round").whole<int>(0),
            .updates = j.at("updates").whole<std::uint64_t>(),
            .epoch = j.at("epoch").whole<std::uint32_t>(),
            .train_loss = j.at("train_loss").number_or(none),
            .train_accuracy = j.at("train_accuracy").number_or(none, 0, 1),
            .validation_loss = j.at("validation_loss").number_or(none),
            .validation_accuracy = j.at("validation_accuracy").number_or(none, 0, 1),
            .best = j.at("best").truth()};
}

/// Throws FileError likewise, and where the best round is none of the rounds.
inline History history_from(const JsonEntry& j) {
    History h;
    for (const JsonEntry& round : j.at("rounds").list()) h.rounds.push_back(round_from(round));
    h.best_round = j.at("best_round").whole<int>(0, static_cast<int>(h.rounds.size()));
    h.best_loss = j.at("best_loss").number_or(std::numeric_limits<double>::infinity());
    h.stop = static_cast<Stop>(j.at("stop").whole<int>(0, static_cast<int>(Stop::rounds)));
    return h;
}

}  // namespace SKEWGRAD_NAMESPACE::checkpoint
