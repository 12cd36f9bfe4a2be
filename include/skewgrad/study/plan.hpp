// The plan of a study: the smallest set of trainings that its cells mention, and the cells.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
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

namespace study {

/// A sampler as a plan sees it: its description for each of the study's classes, all the same where it skews none.
struct SamplerToPlan {
    std::vector<nlohmann::json> descriptions;
    bool skews = false;
};

/// What a plan is made of, without the study's types: planning is compiled once, whatever is studied.
struct ToPlan {
    nlohmann::json learner;  ///< with its arrangement
    std::vector<SamplerToPlan> samplers;
    std::vector<Source> sources;
    std::vector<bool> attack_uses_source;
    std::vector<Label> classes;
    std::vector<Seed> seeds;
};

/// Every training once, every cell once; trainings in the order in which cells first mention them.
inline Plan make_plan(const ToPlan& of) {
    if (of.seeds.empty() || of.classes.empty()) throw ValueError("a study needs at least one seed and one class");
    Plan plan;
    const auto training = [&](std::size_t sampler, std::size_t c, Seed seed) {
        const SamplerToPlan& s = of.samplers[sampler];
        PlannedTraining t{{of.learner, s.descriptions[c], seed}, sampler, {}, seed};
        if (s.skews) t.skewed = of.classes[c];
        return plan.training(std::move(t));
    };
    for (std::size_t s = 0; s < of.seeds.size(); ++s) {
        const Seed seed = of.seeds[s];
        const Seed other = of.seeds.size() > 1 ? of.seeds[(s + 1) % of.seeds.size()] : Seed{seed.value + 1};
        for (std::size_t k = 0; k < of.samplers.size(); ++k)
            for (std::size_t c = 0; c < of.classes.size(); ++c) {
                const std::size_t victim = training(k, c, seed);
                for (const Source from : of.sources) {
                    const bool own = from == Source::same_model;
                    const std::size_t source = own ? victim : training(0, 0, other);
                    for (std::size_t a = 0; a < of.attack_uses_source.size(); ++a)
                        if (own || of.attack_uses_source[a])
                            plan.cells.push_back({victim, source, from, a, of.classes[c]});
                }
            }
    }
    return plan;
}

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
