// From hypotheses and evidence to verdicts.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/holm.hpp>
#include <skewgrad/study/claims/verdict.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

struct JudgeOptions {
    /// Of the second interval; fewer draws are faster and coarser, none leaves it out.
    std::optional<CrossedOptions> bootstrap = CrossedOptions{};
    /// Names of the self-checks that failed: with one of them nothing is supported or contradicted.
    std::vector<std::string> failed_checks{};
};

namespace judging {

inline const BesideEstimate* under_iterative(const Verdict& v) {
    for (const BesideEstimate& b : v.beside)
        if (b.role == Beside::Role::iterative && b.estimate.measured()) return &b;
    return nullptr;
}

/// Holm's correction over the estimates that were measured: written-before claims are one family, exploratory ones
/// another. `pick` gives a verdict's estimate, or none; `put` takes its corrected p.
template <class Pick, class Put>
void correct_families(std::vector<Verdict>& verdicts, Pick pick, Put put) {
    for (const bool exploratory : {false, true}) {
        std::vector<Verdict*> family;
        std::vector<double> p;
        for (Verdict& v : verdicts) {
            const Estimate* e = v.exploratory == exploratory ? pick(v) : nullptr;
            if (e == nullptr || !e->measured()) continue;
            family.push_back(&v);
            p.push_back(e->over_seeds.p);
        }
        const std::vector<double> adjusted = holm_adjusted(p);
        for (std::size_t i = 0; i < family.size(); ++i) put(*family[i], adjusted[i]);
    }
}

inline void name_capped(const Evidence& evidence, Verdict& v) {
    std::set<int> looks;
    for (const NetworkName& name : v.estimate.used) {
        const NetworkRecord* network = evidence.find(name);
        const bool kept =
            std::find(v.estimate.seeds.begin(), v.estimate.seeds.end(), name.block) != v.estimate.seeds.end();
        if (network == nullptr || !network->out_of_looks || !kept) continue;
        v.capped.push_back(evidence.describe(name));
        looks.insert(network->looks);
    }
    if (v.capped.empty()) return;
    std::string at;
    for (const int n : looks) at += (at.empty() ? "" : ", ") + std::to_string(n);
    v.remarks.push_back("capped at " + at + " looks: " + std::to_string(v.capped.size()) + " networks");
}

inline void remark(const Evidence& evidence, Verdict& v, std::optional<Decision> under_iterative) {
    const Estimate& e = v.estimate;
    const double side = e.over_seeds.mean;
    std::string measures;
    for (const BesideEstimate& b : v.beside) {
        if (b.role != Beside::Role::another_measure || !b.estimate.measured()) continue;
        const Interval& i = b.estimate.over_seeds.interval;
        if ((side > 0 && i.high < 0) || (side < 0 && i.low > 0)) measures += (measures.empty() ? "" : ", ") + b.name;
    }
    if (!measures.empty()) v.remarks.push_back("depends on the measure (" + measures + ")");
    if (under_iterative && v.decision != Decision::undecided && *under_iterative != v.decision)
        v.remarks.push_back(std::string("not under iterative (") + name_of(*under_iterative) + ")");
    name_capped(evidence, v);
}

}  // namespace judging

/// Estimates every hypothesis and what stands beside it, corrects over the family, and decides. A hypothesis whose
/// cells are not in the study says what it misses.
inline std::vector<Verdict> judge(const std::vector<Hypothesis>& hypotheses, const Evidence& evidence,
                                  const JudgeOptions& options = {}) {
    std::vector<Verdict> verdicts;
    for (const Hypothesis& h : hypotheses) {
        Verdict v{.id = h.id,
                  .says = h.says,
                  .alternative = h.alternative,
                  .unit = h.unit,
                  .exploratory = h.exploratory,
                  .smallest_effect = smallest_effect_in(h.unit),
                  .estimate = estimate(evidence, h.statistic, h.combine, h.concerns, {}, options.bootstrap),
                  .remarks = {},
                  .capped = {},
                  .beside = {}};
        for (const Beside& b : h.beside)
            v.beside.push_back({b.name, b.role, b.unit,
                                estimate(evidence, b.statistic, b.combine, h.concerns, b.reading, std::nullopt)});
        verdicts.push_back(std::move(v));
    }
    const bool passed = options.failed_checks.empty();
    const auto decision = [&](const Verdict& v, const Estimate& e, double corrected_p) {
        return decide(e.over_seeds, v.alternative, v.smallest_effect, corrected_p, passed);
    };
    judging::correct_families(
        verdicts, [](const Verdict& v) { return &v.estimate; }, [](Verdict& v, double p) { v.holm_p = p; });
    std::vector<std::optional<Decision>> iterative(verdicts.size());
    judging::correct_families(
        verdicts,
        [](const Verdict& v) {
            const BesideEstimate* b = judging::under_iterative(v);
            return b ? &b->estimate : nullptr;
        },
        [&](Verdict& v, double p) {
            iterative[static_cast<std::size_t>(&v - verdicts.data())] =
                decision(v, judging::under_iterative(v)->estimate, p);
        });
    for (std::size_t i = 0; i < verdicts.size(); ++i) {
        Verdict& v = verdicts[i];
        if (!v.estimate.measured()) {
            // Cells that are there, but have too few images, are no cells that are missing.
            v.decision = v.estimate.seeds.empty() ? Decision::not_run : Decision::undecided;
            continue;
        }
        v.decision = decision(v, v.estimate, v.holm_p);
        judging::remark(evidence, v, iterative[i]);
        if (!passed && v.decision == Decision::undecided &&
            decide(v.estimate.over_seeds, v.alternative, v.smallest_effect, v.holm_p, true) != Decision::undecided)
            v.remarks.push_back("a self-check failed (" + options.failed_checks.front() + ")");
    }
    return verdicts;
}

/// The same for a list of claims as types: `judge(ClaimList<Mine, Yours>{}, evidence)`.
template <AClaim... C>
std::vector<Verdict> judge(ClaimList<C...>, const Evidence& evidence, const JudgeOptions& options = {}) {
    return judge(ClaimList<C...>::hypotheses(), evidence, options);
}

}  // namespace SKEWGRAD_NAMESPACE::claims
