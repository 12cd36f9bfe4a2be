// Converts a study's results to evidence: networks and cells get the names that claims use, derived from their keys.
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
    Method method;
    int draw = 0;
};

/// The claims' name of each attack of the study; none for attacks that no claim uses. The first attack's epsilon is the
/// study's.
inline std::vector<std::optional<AttackName>> attack_names(const std::vector<nlohmann::json>& attacks) {
    std::vector<std::optional<AttackName>> all;
    if (attacks.empty()) return all;
    const double epsilon = epsilon_of(attacks.front());
    std::map<Method, int> draws;
    for (std::size_t a = 0; a < attacks.size(); ++a) {
        const nlohmann::json& values = attacks[a].at("values");
        std::string name = attacks[a].at("name").get<std::string>();
        if (const std::string check = "self_check_"; name.starts_with(check)) name.erase(0, check.size());
        const auto is = [](double value, double wanted) { return std::abs(value - wanted) <= 1e-5 * wanted; };
        const double size = epsilon_of(attacks[a]);
        // If a description lacks the direction, the first of two equal attacks is the ascent.
        const bool up = values.contains("direction")
                            ? values.at("direction") == "ascent"
                            : std::find(attacks.begin(), attacks.begin() + static_cast<std::ptrdiff_t>(a),
                                        attacks[a]) == attacks.begin() + static_cast<std::ptrdiff_t>(a);
        const bool true_label = !values.contains("label") || values.at("label") == "true";
        std::optional<Method> method;
        if (name == "fgsm" && true_label) {
            if (is(size, epsilon)) method = up ? Method::fast : Method::descent;
            if (is(size, epsilon / 10) && up) method = Method::fast_tenth;
        } else if (name == "iterative" && true_label && up && values.at("project").get<bool>() &&
                   values.at("steps") == 20 && is(values.at("alpha").get<double>(), size / 4)) {
            if (is(size, epsilon)) method = Method::iterative;
            if (is(size, 0.25)) method = Method::iterative_far;
        } else if (name == "permuted_sign" && up && is(size, epsilon)) {
            method = Method::permuted;
        } else if (name == "random_sign" && is(size, epsilon)) {
            method = Method::random;
        }
        // Only noise has several draws; other repeated attacks get no name.
        if (method && (*method == Method::random || draws[*method] == 0))
            all.push_back(AttackName{*method, draws[*method]++});
        else
            all.push_back(std::nullopt);
    }
    return all;
}

/// A sampler's properties from its description.
struct SamplerName {
    std::string name;
    int count = 0;  ///< 0: none
    bool adjusted = false;

    bool is_under() const { return name.starts_with("Under"); }  // "UnderInFileOrder" as well
    bool is_over() const { return name.starts_with("Over"); }
};
inline SamplerName sampler_name(const nlohmann::json& description) {
    if (description.at("name") == "LogitAdjusted") {
        SamplerName adjusted = sampler_name(description.at("values").at("of"));
        adjusted.adjusted = true;
        return adjusted;
    }
    const nlohmann::json& values = description.at("values");
    const bool counted = values.contains("count") && values["count"].is_number();
    return {description.at("name").get<std::string>(), counted ? values["count"].get<int>() : 0};
}

/// Each training's name from its sampler's description; none for trainings that no claim uses. The first count of an
/// under-sampled (over-sampled) class in the plan is the study's own; other counts are doses.
inline std::vector<std::optional<NetworkName>> network_names(const StudyResults& results) {
    const auto& trainings = results.plan.trainings;
    const auto size = [&](std::size_t t) {
        if (t >= results.trainings.size()) return 0;
        const std::vector<int>& counts = results.trainings[t].counts;
        return std::accumulate(counts.begin(), counts.end(), 0);
    };
    struct Own {
        int count = 0, size = 0;
    };
    std::optional<Own> under, over;
    for (std::size_t t = 0; t < trainings.size(); ++t) {
        const SamplerName s = sampler_name(trainings[t].key.sampler);
        if (s.is_under() && !under) under = Own{s.count, size(t)};
        if (s.is_over() && !over) over = Own{s.count, size(t)};
    }
    std::vector<std::optional<NetworkName>> names(trainings.size());
    for (std::size_t t = 0; t < trainings.size(); ++t) {
        const SamplerName s = sampler_name(trainings[t].key.sampler);
        NetworkName name{.block = trainings[t].seed.value, .skewed = trainings[t].skewed};
        // A size that is not a multiple of the number of classes is matched as closely as possible.
        const auto as_large_as = [&](const std::optional<Own>& other) {
            return other && std::abs(size(t) - other->size) < static_cast<int>(results.class_names.size());
        };
        if (s.is_under() || s.is_over()) {
            const Own& own = s.is_under() ? *under : *over;
            name.kind = s.is_under() ? (s.adjusted ? Kind::under_adjusted : Kind::under)
                                     : (s.adjusted ? Kind::over_adjusted : Kind::over);
            if (s.count != own.count) name.dose = s.count;
        } else if (s.name == "Sham") {
            name.kind = Kind::sham;
        } else if (s.name == "Balanced" && s.count == 0) {
            name.kind = Kind::balanced;
        } else if (s.name == "Balanced" && under && s.count == under->count) {
            name.kind = Kind::scarce;
        } else if (s.name == "Balanced" && as_large_as(under)) {
            name.kind = Kind::balanced_as_under;
        } else if (s.name == "Balanced" && as_large_as(over)) {
            name.kind = Kind::balanced_as_over;
        } else {
            continue;
        }
        names[t] = name;
    }
    return names;
}

/// The source of a cell's gradient; none for sources that no claim uses.
inline std::optional<Gradient> gradient(const PlannedCell& cell, const std::vector<std::optional<NetworkName>>& names) {
    if (cell.source == cell.victim) return Gradient::own;
    const auto& source = names[cell.source];
    if (!source || source->kind != Kind::balanced) return std::nullopt;
    return source->block == names[cell.victim]->block ? Gradient::same_seed : Gradient::other_seed;
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

/// The returned value refers to the records of `results`, which must outlive it. `similarity`: of each pair of the
/// embedded set (Embedded::similarity), if the images are from that set.
/// @throws ValueError for a result whose images differ from those of the other cells.
inline Evidence evidence_of(const StudyResults& results, std::span<const float> similarity = {}) {
    Evidence evidence(results.class_names);
    const auto attacks = naming::attack_names(results.attacks);
    const auto names = naming::network_names(results);
    std::set<std::size_t> victims;
    for (const PlannedCell& cell : results.plan.cells) victims.insert(cell.victim);
    // A balanced network without skewed networks of its seed is another seed's source, not a block.
    bool any_skewed = false;
    for (const std::size_t v : victims) any_skewed = any_skewed || (names[v] && names[v]->kind != Kind::balanced);
    for (const std::size_t v : victims) {
        if (!names[v] || (any_skewed && names[v]->kind == Kind::balanced)) continue;
        if (std::find(evidence.blocks.begin(), evidence.blocks.end(), names[v]->block) == evidence.blocks.end())
            evidence.blocks.push_back(names[v]->block);
    }
    for (std::size_t t = 0; t < names.size() && t < results.trainings.size(); ++t) {
        const TrainingResult& training = results.trainings[t];
        const bool trained = !training.clean.empty();  // a study in progress has gaps
        if (!names[t] || !trained || evidence.find(*names[t]) != nullptr) continue;
        NetworkRecord record{.clean = std::vector<std::vector<Outcome>>(results.class_names.size()),
                             .counts = training.counts,
                             .rounds = static_cast<int>(training.history.rounds.size()),
                             .out_of_rounds = training.history.stop == Stop::rounds};
        for (std::size_t i = 0; i < training.clean.size(); ++i)
            record.clean[static_cast<std::size_t>(index(results.test_labels[i]))].push_back(training.clean[i]);
        evidence.add(*names[t], std::move(record));
    }
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const PlannedCell& cell = results.plan.cells[i];
        const auto& attack = attacks[cell.attack];
        if (!attack || !names[cell.victim] || results.cells[i].images.empty()) continue;
        const auto gradient = naming::gradient(cell, names);
        if (!gradient) continue;
        const CellName name{.victim = *names[cell.victim],
                            .attacked = cell.attacked_class,
                            .gradient = *gradient,
                            .method = attack->method,
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
