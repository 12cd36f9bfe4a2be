// The plan of a study as a value: its trainings, its cells, and the parts left out.
#pragma once
#include <algorithm>
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/claims/names.hpp>
#include <skewgrad/study/keys.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The source of the gradient that attacks a victim. same_model: the victim itself. different_model: a balanced network
/// that does not share the victim's seed; with S seeds that of the next one, with one seed an extra one. shared_seed:
/// the balanced network of the victim's own seed. transfer: another kind of network.
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
/// Used with the first attack only.
struct SharedSeed {
    static constexpr Source source = Source::shared_seed;
};

/// One network of the study. `name`: for the claims; none if no claim uses it. If `adjusts` is set, nothing is trained:
/// it is that training's network with adjusted logits (study/logit_adjustment.hpp).
struct PlannedTraining {
    TrainingKey key;
    std::size_t sampler = 0;      ///< index of the study's sampler; adjusted kinds are numbered after them
    std::optional<Label> skewed;  ///< the class given to the sampler, if it takes one
    Seed seed;                    ///< of validation images and samples
    Seed training_seed;           ///< of weights, order, dropout and flips; differs from `seed` for a sham skew
    std::optional<std::size_t> adjusts{};
    std::optional<claims::KindName> name{};
};

/// One attack of the study. `name`: for the claims; none if no claim uses it. A self-check is run with the victim's own
/// gradient only.
struct PlannedAttack {
    nlohmann::json description;  ///< in keys and files
    std::optional<claims::AttackName> name{};
    bool self_check = false;
};

struct PlannedCell {
    std::size_t victim = 0, source = 0;  ///< indices of the plan's trainings
    Source from = Source::same_model;
    std::size_t attack = 0;  ///< index of the study's attack
    Label attacked_class{};
};

/// The cells of one victim, source and class, which are evaluated together and stored in one file.
struct CellGroup {
    std::size_t victim = 0, source = 0;
    Label attacked_class{};
    std::vector<std::size_t> cells;
};

struct Plan {
    std::vector<PlannedTraining> trainings;
    std::vector<PlannedAttack> attacks;
    std::vector<PlannedCell> cells;
    std::vector<std::string> left_out;  ///< optional parts that this study does not include, one sentence each

    /// Whether any cell attacks the class; a study may cover only some classes.
    bool is_attacked(Label c) const {
        return std::ranges::any_of(cells, [c](const PlannedCell& cell) { return cell.attacked_class == c; });
    }
    /// The attack of a method (its first draw); null if the study has none.
    const PlannedAttack* attack(claims::Method method) const {
        const auto found = std::ranges::find(attacks, std::optional(claims::AttackName{method}), &PlannedAttack::name);
        return found == attacks.end() ? nullptr : &*found;
    }
    std::vector<nlohmann::json> attack_descriptions() const {
        std::vector<nlohmann::json> all;
        for (const PlannedAttack& attack : attacks) all.push_back(attack.description);
        return all;
    }
    CellKey key(const PlannedCell& cell) const {
        return {trainings[cell.victim].key, trainings[cell.source].key, attacks[cell.attack].description,
                cell.attacked_class};
    }
    /// The index of a training, added if no cell mentioned it before. Its name is the first that is wanted for it.
    std::size_t training(PlannedTraining wanted) {
        const auto [found, added] = places_.try_emplace(wanted.key.text(), trainings.size());
        if (added)
            trainings.push_back(std::move(wanted));
        else if (auto& name = trainings[found->second].name; !name)
            name = wanted.name;
        return found->second;
    }
    /// Adds a cell unless the same victim already has the same attack from the same source.
    void cell(const PlannedCell& wanted) {
        const auto identity = std::tuple(wanted.victim, wanted.source, wanted.attack, index(wanted.attacked_class));
        if (known_.insert(identity).second) cells.push_back(wanted);
    }
    /// The number of networks that are actually trained: all but the adjusted ones.
    std::size_t trained() const {
        return static_cast<std::size_t>(
            std::count_if(trainings.begin(), trainings.end(), [](const auto& t) { return !t.adjusts; }));
    }
    /// All cells in groups. Groups of one source and class are adjacent.
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

/// "Under cat, seed 1": a readable title of a network by its training set.
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
