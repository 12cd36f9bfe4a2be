// Converts a study's results to evidence: networks and cells get the names that the plan has for the claims.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/claims/evidence.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

namespace naming {

/// The name of one of a plan's networks; none if no claim uses it.
inline std::optional<NetworkName> network_name(const PlannedTraining& t) {
    if (!t.name) return std::nullopt;
    return NetworkName{.block = t.seed.value, .kind = t.name->kind, .skewed = t.skewed, .dose = t.name->dose};
}

/// The source of a cell's gradient; none for sources that no claim uses.
inline std::optional<Gradient> gradient(const Plan& plan, const PlannedCell& cell) {
    if (cell.source == cell.victim) return Gradient::own;
    const PlannedTraining &victim = plan.trainings[cell.victim], &source = plan.trainings[cell.source];
    if (!source.name || source.name->kind != Kind::balanced) return std::nullopt;
    return source.seed == victim.seed ? Gradient::same_seed : Gradient::other_seed;
}

/// The name of one of a plan's cells; none if no claim uses it.
inline std::optional<CellName> cell_name(const Plan& plan, const PlannedCell& cell) {
    const auto victim = network_name(plan.trainings[cell.victim]);
    const auto& attack = plan.attacks[cell.attack].name;
    const auto from = gradient(plan, cell);
    if (!victim || !attack || !from) return std::nullopt;
    return CellName{.victim = *victim,
                    .attacked = cell.attacked_class,
                    .gradient = *from,
                    .method = attack->method,
                    .draw = attack->draw};
}

/// The pairs of the paper's section 4.3 if the classes have those names, or the embedded set's own pairs.
inline std::vector<std::optional<Label>> partners(const std::vector<std::string>& class_names) {
    std::vector<std::optional<Label>> all(class_names.size());
    if (class_names == Embedded::class_names()) {
        for (std::size_t c = 0; c < all.size(); ++c) all[c] = static_cast<Label>(c % 2 == 0 ? c + 1 : c - 1);
        return all;
    }
    for (const auto& [one, other] : {std::pair("cat", "dog"), std::pair("automobile", "truck")}) {
        const auto a = std::find(class_names.begin(), class_names.end(), one) - class_names.begin();
        const auto b = std::find(class_names.begin(), class_names.end(), other) - class_names.begin();
        if (a == std::ssize(class_names) || b == std::ssize(class_names)) continue;
        all[static_cast<std::size_t>(a)] = static_cast<Label>(b);
        all[static_cast<std::size_t>(b)] = static_cast<Label>(a);
    }
    return all;
}

}  // namespace naming

/// The returned value shares the cells of `results` and needs them no longer. `similarity`: of each pair of the
/// embedded set (Embedded::similarity), if the images are from that set.
/// @throws ValueError for a result whose images differ from those of the other cells.
inline Evidence evidence_of(const StudyResults& results, std::span<const float> similarity = {}) {
    Evidence evidence(results.class_names);
    const Plan& plan = results.plan;
    std::set<std::size_t> victims;
    for (const PlannedCell& cell : plan.cells)
        if (plan.trainings[cell.victim].name) victims.insert(cell.victim);
    // A balanced network without skewed networks of its seed is another seed's source, not a block.
    const auto is_balanced = [&](std::size_t t) { return plan.trainings[t].name->kind == Kind::balanced; };
    const bool all_balanced = std::ranges::all_of(victims, is_balanced);
    for (const std::size_t v : victims) {
        if (!all_balanced && is_balanced(v)) continue;
        const std::uint64_t block = plan.trainings[v].seed.value;
        if (std::ranges::find(evidence.blocks, block) == evidence.blocks.end()) evidence.blocks.push_back(block);
    }
    for (std::size_t t = 0; t < plan.trainings.size() && t < results.trainings.size(); ++t) {
        const TrainingResult& training = results.trainings[t];
        const auto name = naming::network_name(plan.trainings[t]);
        if (!name || training.clean.empty()) continue;  // a study in progress has gaps
        NetworkRecord record{.clean = std::vector<std::vector<Outcome>>(results.class_names.size()),
                             .counts = training.counts,
                             .rounds = static_cast<int>(training.history.rounds.size()),
                             .out_of_rounds = training.history.stop == Stop::rounds};
        for (std::size_t i = 0; i < training.clean.size(); ++i)
            record.clean[static_cast<std::size_t>(index(results.test_labels[i]))].push_back(training.clean[i]);
        evidence.add(*name, std::move(record));
    }
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const auto name = naming::cell_name(plan, plan.cells[i]);
        if (!name || !results.cells.has(i) || evidence.find(*name) != nullptr) continue;
        evidence.add(*name, results.cells.stored(i));
    }
    evidence.partners = naming::partners(results.class_names);
    if (results.class_names == Embedded::class_names())
        for (std::size_t c = 0; c < results.class_names.size() && c / 2 < similarity.size(); ++c)
            evidence.similarity.push_back(similarity[c / 2]);
    return evidence;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
