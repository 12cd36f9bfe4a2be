// The rules by which a claim's estimate becomes a verdict, fixed before any result was seen (docs/claims.md).
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/study/claims/estimate.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

enum class Decision { supported, contradicted, negligible, undecided, not_run };

inline const char* name_of(Decision decision) {
    constexpr const char* names[] = {"supported", "contradicted", "negligible", "undecided", "not run"};
    return names[static_cast<std::size_t>(decision)];
}

/// Fewer seeds decide nothing, unless the t test gives p < .01.
inline constexpr std::size_t fewest_seeds = 6;

/// From the 95 % t interval [a, b] of a mean X and its smallest effect. supported: a > 0, X at least the smallest
/// effect, corrected p < .05, no self-check failed. contradicted: the same below 0. negligible: [a, b] within the
/// smallest effect. A two-sided claim is supported on either side.
inline Decision decide(const MeanEstimate& x, Direction direction, double smallest_effect, double corrected_p,
                       bool checks_passed) {
    if (x.count < fewest_seeds && !(x.p < 0.01)) return Decision::undecided;
    const bool sound = corrected_p < 0.05 && checks_passed;
    if (sound && x.interval.low > 0 && x.mean >= smallest_effect) return Decision::supported;
    if (sound && x.interval.high < 0 && x.mean <= -smallest_effect)
        return direction == Direction::two_sided ? Decision::supported : Decision::contradicted;
    if (x.interval.low >= -smallest_effect && x.interval.high <= smallest_effect) return Decision::negligible;
    return Decision::undecided;
}

/// What stood beside a claim, measured.
struct BesideEstimate {
    std::string name;
    Beside::Role role = Beside::Role::context;
    Unit unit = Unit::share;
    Estimate estimate;
};

struct Verdict {
    std::string id, says;
    Direction direction = Direction::greater;
    Unit unit = Unit::share;
    bool exploratory = true;
    double smallest_effect = 0;
    Estimate estimate;
    double holm_p = 1;  ///< corrected over the primary claims, or over the exploratory ones judged together
    Decision decision = Decision::not_run;
    std::vector<std::string> remarks;  ///< "depends on the measure (...)", "not under iterative (...)", ...
    std::vector<std::string> capped;   ///< networks that the number of looks ended, by name
    std::vector<BesideEstimate> beside;

    /// "supported, depends on the measure (absolute drop)"; "not run: seed 1, few, ... (and 59 more)".
    std::string in_words() const {
        std::string text = name_of(decision);
        if (decision == Decision::not_run && !estimate.not_run.empty()) text += ": " + estimate.not_run.front();
        if (decision == Decision::not_run && estimate.not_run.size() > 1)
            text += " (and " + std::to_string(estimate.not_run.size() - 1) + " more)";
        for (const std::string& remark : remarks) text += ", " + remark;
        return text;
    }
};

}  // namespace SKEWGRAD_NAMESPACE::claims
