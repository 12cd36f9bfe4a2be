// Planning of a study: its cells, and the smallest set of trainings that they need.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/study/plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// A kind of network in planning: its description for each of the study's classes, all equal if it skews none.
struct KindToPlan {
    std::vector<nlohmann::json> descriptions;
    bool skews = false;
    std::optional<Label> only;                ///< the only class that it is trained for; none: every class
    std::function<Seed(Seed)> training_seed;  ///< empty: the seed unchanged
};

struct AttackToPlan {
    bool uses_source = true;  ///< false: noise, with one cell for each victim
    bool own_only = false;    ///< a self-check: only with the victim's own gradient
};

/// The type-erased inputs of planning, so that planning is compiled once for all studies.
struct ToPlan {
    nlohmann::json learner;  ///< with its data_protocol
    std::vector<KindToPlan> kinds;
    std::vector<Source> sources;
    std::vector<AttackToPlan> attacks;
    std::vector<Label> classes;
    std::vector<Seed> seeds;
    bool adjust_logits = false;         ///< adds a logit-adjusted copy of each kind that is trained once for each class
    std::vector<std::size_t> transfer;  ///< kinds between which the first attack is transferred, both ways
    std::vector<std::string> left_out;
};

class Planner {
public:
    explicit Planner(const ToPlan& of) : of_(of) {}

    Plan make() {
        check();
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
        const auto distinct = [](const char* what, const auto& list, auto number) {
            for (std::size_t i = 0; i < list.size(); ++i)
                for (std::size_t j = 0; j < i; ++j)
                    if (list[i] == list[j])
                        throw ValueError(std::string("Study::") + what + ": " + std::to_string(number(list[i])) +
                                         " stands twice");
        };
        distinct("seeds", of_.seeds, [](Seed s) { return s.value; });
        distinct("classes", of_.classes, [](Label c) { return index(c); });
        distinct("transfer", of_.transfer, [](std::size_t kind) { return kind; });
        for (const std::size_t kind : of_.transfer)
            if (kind >= of_.kinds.size())
                throw ValueError("Study::transfer names sampler " + std::to_string(kind) + ", they are 0 to " +
                                 std::to_string(of_.kinds.size() - 1));
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
        if (k.skews) t.skewed = of_.classes[c];
        return plan_.training(std::move(t));
    }
    void cells(std::size_t victim, std::size_t source, Source from, std::size_t c, bool first_attack_only) {
        for (std::size_t a = 0; a < (first_attack_only ? 1 : of_.attacks.size()); ++a)
            if (from == Source::same_model || (of_.attacks[a].uses_source && !of_.attacks[a].own_only))
                plan_.cell({victim, source, from, a, of_.classes[c]});
    }
    void from_every_source(std::size_t victim, std::size_t c, Seed seed) {
        for (const Source from : of_.sources) {
            if (from == Source::same_model) cells(victim, victim, from, c, false);
            if (from == Source::different_model) cells(victim, network(0, 0, other_), from, c, false);
            if (from == Source::shared_seed)
                if (const std::size_t twin = network(0, 0, seed); twin != victim) cells(victim, twin, from, c, true);
        }
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
        for (const std::size_t v : of_.transfer)
            for (std::size_t c = 0; c < of_.classes.size(); ++c) {
                const std::size_t victim = network(v, c, seed);
                for (const std::size_t k : of_.transfer) {
                    const std::size_t next = (c + 1) % of_.classes.size();
                    for (const std::size_t of_class : {c, next}) {
                        const std::size_t source = network(k, of_class, k == 0 ? other_ : sources);
                        if (source != victim) cells(victim, source, Source::transfer, c, true);
                    }
                }
            }
    }

    const ToPlan& of_;
    Plan plan_;
    Seed other_;
};

/// Every training once, every cell once; trainings in the order in which cells first mention them.
inline Plan make_plan(const ToPlan& of) { return Planner(of).make(); }

}  // namespace SKEWGRAD_NAMESPACE::study
