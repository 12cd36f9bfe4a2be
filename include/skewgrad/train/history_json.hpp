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
inline nlohmann::json to_json(const Look& l) {
    return {{"look", l.look},
            {"updates", l.updates},
            {"epoch", l.epoch},
            {"train_loss", l.train_loss},
            {"train_accuracy", l.train_accuracy},
            {"held_loss", l.held_loss},
            {"held_accuracy", l.held_accuracy},
            {"best", l.best}};
}

inline nlohmann::json to_json(const History& h) {
    nlohmann::json looks = nlohmann::json::array();
    for (const Look& look : h.looks) looks.push_back(to_json(look));
    return {{"best_look", h.best_look},
            {"best_loss", h.best_loss},
            {"stop", static_cast<int>(h.stop)},
            {"looks", std::move(looks)}};
}

/// Throws FileError where an entry is missing, of another type or out of range.
inline Look look_from(const JsonEntry& j) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return {.look = j.at("look").whole<int>(0),
            .updates = j.at("updates").whole<std::uint64_t>(),
            .epoch = j.at("epoch").whole<std::uint32_t>(),
            .train_loss = j.at("train_loss").number_or(none),
            .train_accuracy = j.at("train_accuracy").number_or(none, 0, 1),
            .held_loss = j.at("held_loss").number_or(none),
            .held_accuracy = j.at("held_accuracy").number_or(none, 0, 1),
            .best = j.at("best").truth()};
}

/// Throws FileError likewise, and where the best look is none of the looks.
inline History history_from(const JsonEntry& j) {
    History h;
    for (const JsonEntry& look : j.at("looks").list()) h.looks.push_back(look_from(look));
    h.best_look = j.at("best_look").whole<int>(0, static_cast<int>(h.looks.size()));
    h.best_loss = j.at("best_loss").number_or(std::numeric_limits<double>::infinity());
    h.stop = static_cast<Stop>(j.at("stop").whole<int>(0, static_cast<int>(Stop::looks)));
    return h;
}

}  // namespace SKEWGRAD_NAMESPACE::checkpoint
