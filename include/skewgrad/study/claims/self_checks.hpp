// The checks that every attack run makes of itself: named, with their numbers, loud where one fails (docs/claims.md).
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/paired.hpp>
#include <skewgrad/study/claims/judge.hpp>
#include <skewgrad/study/claims/paper_claims.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

enum class CheckResult { passed, failed, not_run, noted };

inline const char* name_of(CheckResult result) {
    constexpr const char* names[] = {"passed", "FAILED", "not run", "noted"};
    return names[static_cast<std::size_t>(result)];
}

struct SelfCheck {
    std::string name;
    CheckResult result = CheckResult::not_run;
    std::string numbers;             ///< what was found, in words
    std::vector<std::string> where;  ///< cells or networks that failed, by name
};

namespace checks {

using CellList = std::vector<std::pair<const CellName*, std::span<const ImageRecord>>>;

inline CellList cells(const Evidence& evidence, Method method, const std::function<bool(const CellName&)>& wanted) {
    CellList found;
    for (const auto& [name, images] : evidence.cells())
        if (name.method == method && wanted(name)) found.emplace_back(&name, images);
    return found;
}
inline bool own(const CellName& name) { return name.gradient == Gradient::own; }

inline std::string percent(double share) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f %%", 100 * share);
    return text;
}

inline SelfCheck settled(SelfCheck check, std::size_t looked_at) {
    check.result = looked_at == 0        ? CheckResult::not_run
                   : check.where.empty() ? CheckResult::passed
                                         : CheckResult::failed;
    return check;
}

/// A quarter of the pixel range takes every answer away, or gradients are masked.
inline SelfCheck iterative_reaches_0(const Evidence& evidence) {
    SelfCheck check{.name = "accuracy 0 under the iterative attack at epsilon 0.25", .numbers = {}, .where = {}};
    const CellList all = cells(evidence, Method::iterative_far, own);
    Ratio right;
    for (const auto& [name, images] : all) {
        std::int64_t hits = 0;
        for (const ImageRecord& i : images) hits += correct(i.attacked.said, name->attacked);
        right = right + Ratio{hits, static_cast<std::int64_t>(images.size())};
        if (hits > 0) check.where.push_back(evidence.describe(*name));
    }
    check.numbers = std::to_string(right.hits) + " of " + std::to_string(right.of) + " images still right, " +
                    std::to_string(all.size()) + " cells";
    return settled(std::move(check), all.size());
}

/// A step a tenth as long raises the loss of nearly every image that has a gradient, or it is no gradient.
inline SelfCheck tenth_raises_loss(const Evidence& evidence) {
    SelfCheck check{.name = "a tenth of the step raises the loss of 99 % of images", .numbers = {}, .where = {}};
    const CellList all = cells(evidence, Method::fast_tenth, own);
    double least = 1;
    for (const auto& [name, images] : all) {
        Ratio raised;
        for (const ImageRecord& i : images) {
            if (i.zero_gradient) continue;
            ++raised.of;
            raised.hits += i.attacked.loss > i.clean.loss;
        }
        if (!raised.defined()) continue;
        least = std::min(least, raised.value());
        if (raised.value() < 0.99) check.where.push_back(evidence.describe(*name));
    }
    check.numbers = percent(least) + " at least, " + std::to_string(all.size()) + " cells";
    return settled(std::move(check), all.size());
}

/// `weaker` must not take away more answers than `stronger` does on the same images, up to two standard errors of the
/// paired difference: sqrt(b + c - (b - c)^2 / n) / n from discordant counts b and c.
inline SelfCheck at_least_as_strong(const Evidence& evidence, std::string title, const CellList& weaker,
                                    const std::function<CellName(const CellName&)>& to_stronger) {
    SelfCheck check{.name = std::move(title), .numbers = {}, .where = {}};
    std::size_t pairs = 0;
    double worst = -1;
    for (const auto& [name, weak] : weaker) {
        const auto* strong = evidence.find(to_stronger(*name));
        if (strong == nullptr || weak.empty()) continue;
        ++pairs;
        double only_weak = 0, only_strong = 0;
        const double n = static_cast<double>(weak.size());
        for (std::size_t i = 0; i < weak.size(); ++i) {
            const bool by_weak = !correct(weak[i].attacked.said, name->attacked);
            const bool by_strong = !correct((*strong)[i].attacked.said, name->attacked);
            only_weak += by_weak && !by_strong;
            only_strong += by_strong && !by_weak;
        }
        const double ahead = (only_weak - only_strong) / n;
        const double error =
            std::sqrt(only_weak + only_strong - (only_weak - only_strong) * (only_weak - only_strong) / n) / n;
        worst = std::max(worst, ahead);
        if (ahead > 2 * error) check.where.push_back("possible gradient masking: " + evidence.describe(*name));
    }
    if (pairs > 0)
        check.numbers = "the weaker attack is ahead by " + percent(worst) + " at most, " + std::to_string(pairs) +
                        " pairs of cells";
    return settled(std::move(check), pairs);
}

inline SelfCheck iterative_is_stronger(const Evidence& evidence) {
    return at_least_as_strong(evidence, "the iterative attack is at least as strong as the fast one",
                              cells(evidence, Method::fast, own), [](CellName name) {
                                  name.method = Method::iterative;
                                  return name;
                              });
}
inline SelfCheck own_gradient_is_stronger(const Evidence& evidence) {
    return at_least_as_strong(
        evidence, "the own gradient is at least as strong as another network's",
        cells(evidence, Method::fast, [](const CellName& name) { return name.gradient != Gradient::own; }),
        [](CellName name) {
            name.gradient = Gradient::own;
            return name;
        });
}

/// Noted, not judged: a cell's share of images whose source gradient is 0, and of those whose 1-norm is below 1e-8.
inline SelfCheck small_gradients(const Evidence& evidence) {
    SelfCheck check{.name = "zero gradients, and gradients below 1e-8", .numbers = {}, .where = {}};
    const CellList all = cells(evidence, Method::fast, [](const CellName&) { return true; });
    double zero = 0, tiny = 0;
    const CellName* at = nullptr;
    for (const auto& [name, images] : all) {
        if (images.empty()) continue;
        std::size_t zeros = 0, tinies = 0;
        for (const ImageRecord& i : images) zeros += i.zero_gradient, tinies += i.gradient_norm1 < 1e-8;
        const double n = static_cast<double>(images.size());
        zero = std::max(zero, static_cast<double>(zeros) / n);
        if (at == nullptr || static_cast<double>(tinies) / n > tiny) at = name, tiny = static_cast<double>(tinies) / n;
    }
    if (at == nullptr) return check;
    check.result = CheckResult::noted;
    check.numbers = percent(zero) + " and " + percent(tiny) + " at most, the latter in " + evidence.describe(*at);
    return check;
}

/// Training that ran into the protocol's own limit has not converged. Fewer looks on purpose are named beside every
/// verdict and fail nothing.
inline SelfCheck training_ended(const Evidence& evidence, int protocol_looks) {
    SelfCheck check{.name = "no network ended at the protocol's " + std::to_string(protocol_looks) + " looks",
                    .numbers = {},
                    .where = {}};
    int longest = 0;
    for (const auto& [name, network] : evidence.networks()) {
        longest = std::max(longest, network.looks);
        if (network.out_of_looks && network.looks >= protocol_looks) check.where.push_back(evidence.describe(name));
    }
    check.numbers =
        std::to_string(longest) + " looks at most, " + std::to_string(evidence.networks().size()) + " networks";
    return settled(std::move(check), evidence.networks().size());
}

/// Claims about skew, asked of a network that is not skewed. In C8 the balanced network stands for the one with few
/// images as well: four balanced networks are a square without scarcity and without skew, while a real fourth corner
/// would bring its own scarcity into the interaction.
inline std::vector<SelfCheck> sham_skew(const Evidence& evidence) {
    std::vector<Hypothesis> claims = ShamClaims::hypotheses();
    const Reading sham{
        .in_place_of = {{Kind::under, Kind::sham}, {Kind::over, Kind::sham}, {Kind::few, Kind::balanced}}};
    std::vector<Estimate> estimates;
    std::vector<double> p;
    for (const Hypothesis& h : claims) {
        estimates.push_back(estimate(evidence, h.statistic, h.combine, h.concerns, sham, std::nullopt));
        p.push_back(estimates.back().over_seeds.p);
    }
    const std::vector<double> corrected = holm_adjusted(p);
    std::vector<SelfCheck> all;
    for (std::size_t i = 0; i < claims.size(); ++i) {
        SelfCheck check{.name = "a sham skew shows nothing: " + claims[i].id, .numbers = {}, .where = {}};
        const Estimate& e = estimates[i];
        if (e.measured()) {
            const Decision d =
                decide(e.over_seeds, claims[i].alternative, smallest_effect_in(claims[i].unit), corrected[i], true);
            const bool nothing = d == Decision::negligible || d == Decision::undecided;
            check.result = nothing ? CheckResult::passed : CheckResult::failed;
            check.numbers = std::string(name_of(d)) + ", mean " + percent(e.over_seeds.mean) + " over " +
                            std::to_string(e.by_seed.size()) + " seeds";
            if (!nothing) check.where.push_back(claims[i].id);
        }
        all.push_back(std::move(check));
    }
    return all;
}

}  // namespace checks

/// All of them. `protocol_looks`: the most that the protocol allows.
inline std::vector<SelfCheck> self_checks(const Evidence& evidence, int protocol_looks = 200) {
    std::vector<SelfCheck> all{
        checks::iterative_reaches_0(evidence),   checks::tenth_raises_loss(evidence),
        checks::iterative_is_stronger(evidence), checks::own_gradient_is_stronger(evidence),
        checks::small_gradients(evidence),       checks::training_ended(evidence, protocol_looks)};
    for (SelfCheck& check : checks::sham_skew(evidence)) all.push_back(std::move(check));
    return all;
}

/// For JudgeOptions: with one of these nothing is supported or contradicted.
inline std::vector<std::string> failed(const std::vector<SelfCheck>& checks) {
    std::vector<std::string> names;
    for (const SelfCheck& check : checks)
        if (check.result == CheckResult::failed) names.push_back(check.name);
    return names;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
