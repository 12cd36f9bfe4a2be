// Planning of a study: its cells, and the smallest set of trainings that they need.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/plan.hpp>
#include <skewgrad/study/plan_names.hpp>
#include <skewgrad/study/to_plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Makes the plan. "A different model" and the one of the shared seed are trained on the kind that is called balanced;
/// on the first if none is.
class Planner {
public:
    explicit Planner(const ToPlan& of)
        : of_(of),
          kind_names_(kind_names(of.kinds)),
          attack_names_(attack_names(of.attacks)),
          balanced_(called(claims::Kind::balanced).value_or(0)) {}

    Plan make() {
        check();
        find_transfer();
        for (std::size_t a = 0; a < of_.attacks.size(); ++a)
            plan_.attacks.push_back({of_.attacks[a].description, attack_names_[a], of_.attacks[a].self_check});
        for (std::size_t s = 0; s < of_.seeds.size(); ++s) {
            const Seed seed = of_.seeds[s];
            other_ = of_.seeds.size() > 1 ? of_.seeds[(s + 1) % of_.seeds.size()] : Seed{seed.value + 1};
            for (std::size_t k = 0; k < of_.kinds.size(); ++k)
                for (std::size_t c = 0; c < of_.classes.size(); ++c)
                    if (is_for(k, c)) from_every_source(network(k, c, seed), c, seed);
            if (of_.adjust_logits) adjusted(seed);
            transfer(seed);
        }
        plan_.left_out = of_.left_out;
        return std::move(plan_);
    }

private:
    void check() const {
        if (of_.seeds.empty()) throw ValueError("Study::seeds is empty: a study needs at least one seed");
        if (of_.classes.empty()) throw ValueError("Study::classes is empty: a study needs at least one class");
        if (of_.kinds.empty()) throw ValueError("Study::samplers names no network");
        const auto distinct = [](const char* what, const auto& list, auto text) {
            for (std::size_t i = 0; i < list.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    if (list[i] == list[j])
                        throw ValueError(std::string("Study::") + what + ": " + text(list[i]) + " stands twice");
        };
        distinct("seeds", of_.seeds, [](Seed s) { return std::to_string(s.value); });
        distinct("classes", of_.classes, [](Label c) { return std::to_string(index(c)); });
        distinct("transfer", of_.transfer, [](claims::Kind kind) { return claims::name_of(kind); });
    }
    /// The first kind called this that is trained for every class.
    std::optional<std::size_t> called(claims::Kind kind) const {
        for (std::size_t k = 0; k < of_.kinds.size(); ++k)
            if (kind_names_[k] == claims::KindName{kind} && !of_.kinds[k].only) return k;
        return std::nullopt;
    }
    void find_transfer() {
        for (const claims::Kind kind : of_.transfer) {
            if (const auto k = called(kind)) {
                transfer_.push_back(*k);
                continue;
            }
            std::string known;
            for (const auto& name : kind_names_)
                if (name) known += (known.empty() ? "" : ", ") + ("\"" + describe(*name) + "\"");
            throw ValueError(std::string("Study::transfer: no sampler of the study is called \"") +
                             claims::name_of(kind) + "\" and trained for every class; they are called " +
                             (known.empty() ? "nothing" : known));
        }
    }
    bool is_for(std::size_t kind, std::size_t c) const {
        return !of_.kinds[kind].only || *of_.kinds[kind].only == of_.classes[c];
    }
    std::size_t network(std::size_t kind, std::size_t c, Seed seed) {
        const KindToPlan& k = of_.kinds[kind];
        PlannedTraining t{.key = {of_.learner, k.descriptions[c], seed},
                          .sampler = kind,
                          .skewed = {},
                          .seed = seed,
                          .training_seed = k.training_seed ? k.training_seed(seed) : seed};
        if (k.skews) t.skewed = k.only.value_or(of_.classes[c]);
        t.name = kind_names_[kind];
        return plan_.training(std::move(t));
    }
    void cells(std::size_t victim, std::size_t source, Source from, std::size_t c, bool first_attack_only) {
        for (std::size_t a = 0; a < (first_attack_only ? 1 : of_.attacks.size()); ++a)
            if (from == Source::same_model || (of_.attacks[a].uses_model && !of_.attacks[a].self_check))
                plan_.cell({victim, source, from, a, of_.classes[c]});
    }
    void from_every_source(std::size_t victim, std::size_t c, Seed seed) {
        for (const Source from : of_.sources) {
            if (from == Source::same_model) cells(victim, victim, from, c, false);
            if (from == Source::different_model) cells(victim, network(balanced_, 0, other_), from, c, false);
            if (from == Source::shared_seed)
                if (const std::size_t twin = network(balanced_, 0, seed); twin != victim)
                    cells(victim, twin, from, c, true);
        }
    }
    /// None if the study has another kind of that name.
    std::optional<claims::KindName> adjusted_name(const std::optional<claims::KindName>& of) const {
        const auto name = of ? claims::adjusted(*of) : std::nullopt;
        return std::ranges::find(kind_names_, name) == kind_names_.end() ? name : std::nullopt;
    }
    /// Cells attacked through a network's own adjusted logits.
    void adjusted(Seed seed) {
        std::size_t kind = of_.kinds.size();
        for (std::size_t k = 0; k < of_.kinds.size(); ++k) {
            if (!of_.kinds[k].skews || of_.kinds[k].only) continue;
            for (std::size_t c = 0; c < of_.classes.size(); ++c) {
                const std::size_t adjusts = network(k, c, seed);
                PlannedTraining t = plan_.trainings[adjusts];
                t.key.sampler = {{"name", "LogitAdjusted"}, {"values", {{"of", t.key.sampler}}}};
                t.sampler = kind;
                t.adjusts = adjusts;
                t.name = adjusted_name(t.name);
                const std::size_t victim = plan_.training(std::move(t));
                cells(victim, victim, Source::same_model, c, false);
            }
            ++kind;
        }
    }
    /// With several seeds, the sources are networks of the next seed, so that source and victim share no initial
    /// weights. A skewed kind contributes the network of the attacked class and that of the class after it.
    void transfer(Seed seed) {
        const Seed sources = of_.seeds.size() > 1 ? other_ : seed;
        for (const std::size_t v : transfer_)
            for (std::size_t c = 0; c < of_.classes.size(); ++c) {
                const std::size_t victim = network(v, c, seed);
                for (const std::size_t k : transfer_) {
                    const std::size_t next = (c + 1) % of_.classes.size();
                    for (const std::size_t of_class : {c, next}) {
                        const std::size_t source = network(k, of_class, k == balanced_ ? other_ : sources);
                        if (source != victim) cells(victim, source, Source::transfer, c, true);
                    }
                }
            }
    }

    const ToPlan& of_;
    const std::vector<std::optional<claims::KindName>> kind_names_;
    const std::vector<std::optional<claims::AttackName>> attack_names_;
    const std::size_t balanced_;
    std::vector<std::size_t> transfer_;  // kinds
    Plan plan_;
    Seed other_;
};

/// Every training once, every cell once; trainings in the order in which cells first mention them.
inline Plan make_plan(const ToPlan& of) { return Planner(of).make(); }

}  // namespace SKEWGRAD_NAMESPACE::study
