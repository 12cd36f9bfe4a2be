// The plan of a study as a value: its trainings, its cells, what was left out.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/keys.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whose gradient a victim is attacked with. same_model: its own. different_model: that of a balanced network that does
/// not share the victim's seed; with S seeds that of the next one, with one seed an extra one. shared_seed: that of the
/// balanced network of the victim's own seed. transfer: that of another kind of network.
enum class Source { same_model, different_model, shared_seed, transfer };

inline const char* to_string(Source from) {
    constexpr const char* names[] = {"same", "different", "shared_seed", "transfer"};
    return names[static_cast<std::size_t>(from)];
}

struct SameModel {
    static constexpr Source source = Source::same_model;
};
struct DifferentModel {
    static constexpr Source source = Source::different_model;
};
/// Met with the first attack only.
struct SharedSeed {
    static constexpr Source source = Source::shared_seed;
};

/// One network of the study. Where `adjusts` is set nothing is trained: it is that training's network with its logits
/// adjusted (study/logit_adjustment.hpp).
struct PlannedTraining {
    TrainingKey key;
    std::size_t sampler = 0;      ///< which of the study's samplers; adjusted ones are counted on behind them
    std::optional<Label> skewed;  ///< the class it was given, where it takes one
    Seed seed;                    ///< of validation images and samples
    Seed training_seed;           ///< of weights, order, dropout and flips; differs from `seed` for a sham skew
    std::optional<std::size_t> adjusts{};
};

struct PlannedCell {
    std::size_t victim = 0, source = 0;  ///< which of the plan's trainings
    Source from = Source::same_model;
    std::size_t attack = 0;  ///< which of the study's attacks
    Label attacked_class{};
};

/// The cells of one victim, source and class: evaluated together, kept in one file.
struct CellGroup {
    std::size_t victim = 0, source = 0;
    Label attacked_class{};
    std::vector<std::size_t> cells;
};

struct Plan {
    std::vector<PlannedTraining> trainings;
    std::vector<PlannedCell> cells;
    std::vector<std::string> left_out;  ///< optional parts that this study goes without, one sentence each

    /// Whether any cell attacks the class: a study may be of some classes only.
    bool attacks(Label c) const {
        return std::ranges::any_of(cells, [c](const PlannedCell& cell) { return cell.attacked_class == c; });
    }
    CellKey key(const PlannedCell& cell, const std::vector<nlohmann::json>& attacks) const {
        return {trainings[cell.victim].key, trainings[cell.source].key, attacks[cell.attack], cell.attacked_class};
    }
    /// The index of a training, added if no cell mentioned it before.
    std::size_t training(PlannedTraining wanted) {
        const auto [found, added] = places_.try_emplace(wanted.key.text(), trainings.size());
        if (added) trainings.push_back(std::move(wanted));
        return found->second;
    }
    /// Adds a cell unless the same victim meets the same attack from the same source already.
    void cell(const PlannedCell& wanted) {
        const auto identity = std::tuple(wanted.victim, wanted.source, wanted.attack, index(wanted.attacked_class));
        if (known_.insert(identity).second) cells.push_back(wanted);
    }
    /// How many networks are really trained: all but the adjusted ones.
    std::size_t trained() const {
        return static_cast<std::size_t>(
            std::count_if(trainings.begin(), trainings.end(), [](const auto& t) { return !t.adjusts; }));
    }
    /// All cells in groups, those of one source and class side by side.
    std::vector<CellGroup> groups() const {
        std::map<std::tuple<std::size_t, int, std::size_t>, CellGroup> all;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const PlannedCell& c = cells[i];
            CellGroup& group = all[{c.source, index(c.attacked_class), c.victim}];
            group.victim = c.victim;
            group.source = c.source;
            group.attacked_class = c.attacked_class;
            group.cells.push_back(i);
        }
        std::vector<CellGroup> list;
        for (auto& [at, group] : all) list.push_back(std::move(group));
        return list;
    }

private:
    std::map<std::string, std::size_t> places_;
    std::set<std::tuple<std::size_t, std::size_t, std::size_t, int>> known_;
};

/// "Under cat, seed 1": what a network was trained on, for people.
inline std::string title_of(const PlannedTraining& t, const std::vector<std::string>& class_names) {
    nlohmann::json sampler = t.key.sampler;
    std::string title;
    if (t.adjusts) {
        title = "LogitAdjusted ";
        sampler = nlohmann::json(sampler.at("values").at("of"));
    }
    title += sampler.at("name").get<std::string>();
    if (t.skewed) title += " " + class_names.at(static_cast<std::size_t>(index(*t.skewed)));
    if (const auto& values = sampler.at("values"); values.contains("count") && !values["count"].is_null())
        title += " " + values["count"].dump();
    return title + ", seed " + std::to_string(t.seed.value);
}

}  // namespace SKEWGRAD_NAMESPACE
