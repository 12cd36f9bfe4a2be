// The plan of a study: the smallest set of trainings that its cells mention, and the cells.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/keys.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whose gradient a victim is attacked with. SameModel: its own. DifferentModel: that of a balanced network that does
/// not share the victim's seed; with S seeds that of the next one, with one seed an extra one.
enum class Source { same_model, different_model };
struct SameModel {
    static constexpr Source source = Source::same_model;
};
struct DifferentModel {
    static constexpr Source source = Source::different_model;
};

struct PlannedTraining {
    TrainingKey key;
    std::size_t sampler = 0;      ///< which of the study's samplers
    std::optional<Label> skewed;  ///< the class it was given, where it takes one
    Seed seed;
};

struct PlannedCell {
    std::size_t victim = 0, source = 0;  ///< which of the plan's trainings
    Source from = Source::same_model;
    std::size_t attack = 0;  ///< which of the study's attacks
    Label attacked_class{};
};

struct Plan {
    std::vector<PlannedTraining> trainings;
    std::vector<PlannedCell> cells;

    CellKey key(const PlannedCell& cell, const std::vector<nlohmann::json>& attacks) const {
        return {trainings[cell.victim].key, trainings[cell.source].key, attacks[cell.attack], cell.attacked_class};
    }
    /// The index of a training, added if no cell mentioned it before.
    std::size_t training(PlannedTraining wanted) {
        const auto [found, added] = places_.try_emplace(wanted.key.text(), trainings.size());
        if (added) trainings.push_back(std::move(wanted));
        return found->second;
    }

private:
    std::map<std::string, std::size_t> places_;
};

}  // namespace SKEWGRAD_NAMESPACE
