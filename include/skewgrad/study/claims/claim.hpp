// A claim as a type: what is said, a statistic of one seed and class, a direction and a smallest effect.
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/study/claims/case.hpp>
#include <skewgrad/study/claims/measures.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// greater: the claim says that the statistic is above 0. two_sided: that it is not 0.
enum class Direction { greater, two_sided };
/// What a statistic is counted in: how reports show it, and the smallest effect that deserves the name.
enum class Unit { share, log_odds, log_ratio };
constexpr double smallest_effect_in(Unit unit) {
    return unit == Unit::share ? 0.02 : unit == Unit::log_odds ? 0.1 : 0.04879016416943205;  // 2 points; log 1.05
}

struct ClassValue {
    Label label{};
    double value = 0;
};
using Statistic = std::function<CaseValue(const Case&)>;
using Combine = std::function<double(const Evidence&, std::span<const ClassValue>)>;
using Concerns = std::function<bool(const Evidence&, Label)>;

inline double mean_over_classes(const Evidence&, std::span<const ClassValue> values) {
    double sum = 0;
    for (const ClassValue& v : values) sum += v.value;
    return sum / static_cast<double>(values.size());
}
inline double least_over_classes(const Evidence&, std::span<const ClassValue> values) {
    double least = std::numeric_limits<double>::infinity();
    for (const ClassValue& v : values) least = std::min(least, v.value);
    return least;
}

/// What stands beside a claim's statistic and does not decide it.
struct Beside {
    enum class Role {
        another_measure,  ///< of the same thing: a claim whose measures disagree "depends on the measure"
        iterative,        ///< the same measure under the iterative attack
        context           ///< anything else worth seeing
    };
    std::string name;
    Role role = Role::context;
    Statistic statistic;
    Reading reading{};
    Unit unit = Unit::share;
    Combine combine = mean_over_classes;
};

/// What claims have unless they say otherwise. A claim of one's own needs three lines:
///
///     struct NoiseFlips : claims::Claim {
///         static constexpr const char *id = "X1", *says = "noise turns under-sampled classes";
///         static CaseValue statistic(const Case& at) { return drop(*at.noise(Kind::under, 0), at.label()); }
///     };
struct Claim {
    static constexpr Direction direction = Direction::greater;
    static constexpr Unit unit = Unit::share;
    static constexpr bool exploratory = true;        ///< thought of after the results were seen
    static constexpr bool reads_the_attack = false;  ///< its statistic can be read under the iterative attack as well
    static std::vector<Beside> beside() { return {}; }
    /// Whether the claim is about a class at all.
    static bool concerns(const Evidence&, Label) { return true; }
    /// From the classes' values to a seed's.
    static double combine(const Evidence& evidence, std::span<const ClassValue> values) {
        return mean_over_classes(evidence, values);
    }
};
/// A claim that was written down before the results were seen, in docs/claims.md.
struct WrittenBefore : Claim {
    static constexpr bool exploratory = false;
    static constexpr bool reads_the_attack = true;
};

template <class C>
concept AClaim = std::derived_from<C, Claim> && requires(const Case& at) {
    { C::id } -> std::convertible_to<std::string>;
    { C::says } -> std::convertible_to<std::string>;
    { C::statistic(at) } -> std::same_as<CaseValue>;
};

/// A claim as a value: what judging needs to know of the type, so that it is compiled once.
struct Hypothesis {
    std::string id, says;
    Direction direction = Direction::greater;
    Unit unit = Unit::share;
    bool exploratory = true;
    Statistic statistic;
    Combine combine;
    Concerns concerns;
    std::vector<Beside> beside;
};

/// The iterative reading comes first among what stands beside a claim that reads the attack.
template <AClaim C>
Hypothesis hypothesis() {
    Hypothesis h{C::id, C::says, C::direction, C::unit, C::exploratory, C::statistic, C::combine, C::concerns, {}};
    if (C::reads_the_attack)
        h.beside.push_back({.name = "iterative",
                            .role = Beside::Role::iterative,
                            .statistic = C::statistic,
                            .reading = {.attack = Method::iterative},
                            .unit = C::unit,
                            .combine = C::combine});
    for (Beside& b : C::beside()) h.beside.push_back(std::move(b));
    return h;
}

template <AClaim... C>
struct ClaimList {
    static std::vector<Hypothesis> hypotheses() { return {hypothesis<C>()...}; }
};

}  // namespace SKEWGRAD_NAMESPACE::claims
