// A study's results as evidence: networks and cells get the names that claims use, from what their keys say.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/claims/evidence.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

namespace naming {

struct AttackName {
    By by;
    int draw = 0;
};

/// Which of the claims' attacks each of the study's is; none for those that no claim asks for. The first attack's
/// epsilon is the study's.
inline std::vector<std::optional<AttackName>> attack_names(const std::vector<nlohmann::json>& attacks) {
    std::vector<std::optional<AttackName>> all;
    if (attacks.empty()) return all;
    const double epsilon = attacks.front().at("values").at("epsilon").get<double>();
    std::map<By, int> draws;
    for (std::size_t a = 0; a < attacks.size(); ++a) {
        const nlohmann::json& values = attacks[a].at("values");
        std::string name = attacks[a].at("name").get<std::string>();
        if (const std::string check = "self_check_"; name.starts_with(check)) name.erase(0, check.size());
        const auto is = [](double value, double wanted) { return std::abs(value - wanted) <= 1e-5 * wanted; };
        const double size = values.at("epsilon").get<double>();
        // Where a description does not say the direction, the first of two that are alike goes up.
        const bool up = values.contains("direction")
                            ? values.at("direction") == "ascent"
                            : std::find(attacks.begin(), attacks.begin() + static_cast<std::ptrdiff_t>(a),
                                        attacks[a]) == attacks.begin() + static_cast<std::ptrdiff_t>(a);
        const bool true_label = !values.contains("label") || values.at("label") == "true";
        std::optional<By> by;
        if (name == "fgsm" && true_label) {
            if (is(size, epsilon)) by = up ? By::fast : By::descent;
            if (is(size, epsilon / 10) && up) by = By::fast_tenth;
        } else if (name == "iterative" && true_label && up && values.at("project").get<bool>() &&
                   values.at("steps") == 20 && is(values.at("alpha").get<double>(), size / 4)) {
            if (is(size, epsilon)) by = By::iterative;
            if (is(size, 0.25)) by = By::iterative_far;
        } else if (name == "permuted_sign" && up && is(size, epsilon)) {
            by = By::permuted;
        } else if (name == "random_sign" && is(size, epsilon)) {
            by = By::random;
        }
        // Only noise is drawn more than once; whatever else comes again stands in for nothing.
        if (by && (*by == By::random || draws[*by] == 0))
            all.push_back(AttackName{*by, draws[*by]++});
        else
            all.push_back(std::nullopt);
    }
    return all;
}

/// Each training's name, by its sampler's description: none for those that no claim asks for. The first count of an
/// under-sampled (over-sampled) class in the plan is the study's own, others are doses.
inline std::vector<std::optional<NetworkName>> network_names(const StudyResults& results) {
    const auto& trainings = results.plan.trainings;
    const auto sampler = [&](std::size_t t) { return trainings[t].key.sampler.at("name").get<std::string>(); };
    const auto count = [&](std::size_t t) {
        const nlohmann::json& values = trainings[t].key.sampler.at("values");
        return values.contains("count") && values["count"].is_number() ? values["count"].get<int>() : 0;
    };
    const auto size = [&](std::size_t t) {
        const std::vector<int>& counts = results.trainings[t].counts;
        return std::accumulate(counts.begin(), counts.end(), 0);
    };
    struct Own {
        int count = 0, size = 0;
    };
    std::map<Kind, Own> own;
    for (std::size_t t = 0; t < trainings.size(); ++t) {
        if (sampler(t).starts_with("Under")) own.try_emplace(Kind::under, Own{count(t), size(t)});
        if (sampler(t).starts_with("Over")) own.try_emplace(Kind::over, Own{count(t), size(t)});
    }
    std::vector<std::optional<NetworkName>> names;
    for (std::size_t t = 0; t < trainings.size(); ++t) {
        NetworkName name{.block = trainings[t].seed.value, .skewed = trainings[t].skewed};
        const std::string kind = sampler(t);
        const auto as_large_as = [&](Kind other) {
            // A size that ten classes cannot share evenly is met as nearly as they can.
            return own.contains(other) &&
                   std::abs(size(t) - own[other].size) < static_cast<int>(results.class_names.size());
        };
        const bool few = own.contains(Kind::under) && count(t) == own[Kind::under].count;
        std::optional<Kind> is;
        if (kind == "Balanced") {
            if (count(t) == 0)
                is = Kind::balanced;
            else if (few)
                is = Kind::few;
            else if (as_large_as(Kind::under))
                is = Kind::balanced_as_under;
            else if (as_large_as(Kind::over))
                is = Kind::balanced_as_over;
        } else if (kind == "Sham") {
            is = Kind::sham;
            name.skewed.reset();
        } else if (kind.starts_with("Under") || kind.starts_with("Over")) {
            is = kind.starts_with("Under") ? Kind::under : Kind::over;
            if (count(t) != own[*is].count) name.dose = count(t);
        }
        if (is) name.kind = *is;
        names.push_back(is ? std::optional(name) : std::nullopt);
    }
    return names;
}

/// Whose gradient a cell's is; none for sources that no claim asks for.
inline std::optional<From> from(const PlannedCell& cell, const std::vector<std::optional<NetworkName>>& names) {
    if (cell.source == cell.victim) return From::own;
    const auto& source = names[cell.source];
    if (!source || source->kind != Kind::balanced) return std::nullopt;
    return source->block == names[cell.victim]->block ? From::same_seed : From::other_seed;
}

/// The pairs of the paper's section 4.3, where classes have those names; the embedded set's own pairs.
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

/// `results` must outlive what is returned, which looks at its records. `similarity`: of each of the embedded set's
/// pairs (Embedded::similarity), where the images are its own.
/// @throws ValueError for a result whose images are not those of the other cells.
inline Evidence evidence_of(const StudyResults& results, std::span<const float> similarity = {}) {
    Evidence evidence(results.class_names);
    const auto attacks = naming::attack_names(results.attacks);
    const auto names = naming::network_names(results);
    std::set<std::size_t> victims;
    for (const PlannedCell& cell : results.plan.cells) victims.insert(cell.victim);
    // A balanced network without skewed ones of its seed is another seed's source, no block.
    bool any_skewed = false;
    for (const std::size_t v : victims) any_skewed = any_skewed || (names[v] && names[v]->kind != Kind::balanced);
    for (const std::size_t v : victims) {
        if (!names[v] || (any_skewed && names[v]->kind == Kind::balanced)) continue;
        if (std::find(evidence.blocks.begin(), evidence.blocks.end(), names[v]->block) == evidence.blocks.end())
            evidence.blocks.push_back(names[v]->block);
    }
    for (std::size_t t = 0; t < names.size() && t < results.trainings.size(); ++t) {
        const TrainingResult& training = results.trainings[t];
        if (!names[t] || evidence.find(*names[t]) != nullptr) continue;
        NetworkRecord record{.clean = std::vector<std::vector<Outcome>>(results.class_names.size()),
                             .counts = training.counts,
                             .looks = static_cast<int>(training.history.looks.size()),
                             .out_of_looks = training.history.stop == Stop::looks};
        for (std::size_t i = 0; i < training.clean.size(); ++i)
            record.clean[static_cast<std::size_t>(index(results.test_labels[i]))].push_back(training.clean[i]);
        evidence.add(*names[t], std::move(record));
    }
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const PlannedCell& cell = results.plan.cells[i];
        const auto& attack = attacks[cell.attack];
        if (!attack || !names[cell.victim] || results.cells[i].images.empty()) continue;
        const auto from = naming::from(cell, names);
        if (!from) continue;
        const CellName name{.victim = *names[cell.victim],
                            .attacked = cell.attacked_class,
                            .from = *from,
                            .by = attack->by,
                            .draw = attack->draw};
        if (evidence.find(name) == nullptr) evidence.add(name, results.cells[i].images);
    }
    evidence.partners = naming::partners(results.class_names);
    if (results.class_names == Embedded::class_names())
        for (std::size_t c = 0; c < results.class_names.size() && c / 2 < similarity.size(); ++c)
            evidence.similarity.push_back(similarity[c / 2]);
    return evidence;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
