// Ranges of valid values for real parameters, and the error that names owner, value and range.
#pragma once
#include <concepts>
#include <limits>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/finite.hpp>
#include <skewgrad/core/number.hpp>

namespace SKEWGRAD_NAMESPACE {

/// An interval of finite numbers; both ends are included by default.
struct Range {
    double least = std::numeric_limits<double>::lowest();
    double most = std::numeric_limits<double>::max();
    bool with_least = true, with_most = true;

    constexpr bool holds(double x) const {
        return finite_bits(x) && (with_least ? x >= least : x > least) && (with_most ? x <= most : x < most);
    }
};

/// The range's requirement in words: "lie in [0, 1)", "be at least 0 and finite", "be above 0 and finite", "be
/// finite".
inline std::string requirement(const Range& range) {
    constexpr std::numeric_limits<double> all;
    if (range.most < all.max())
        return (range.with_least ? "lie in [" : "lie in (") + shortest(range.least) + ", " + shortest(range.most) +
               (range.with_most ? "]" : ")");
    if (range.least <= all.lowest()) return "be finite";
    return (range.with_least ? "be at least " : "be above ") + shortest(range.least) + " and finite";
}

/// Throws ValueError unless the value lies in the range; `why` is appended to the message.
template <std::floating_point F>
void check_range(const std::string& owner, const std::string& name, F value, const Range& range,
                 const std::string& why = "") {
    if (range.holds(static_cast<double>(value))) return;
    throw ValueError(owner + ": " + name + " is " + shortest(value) + ", it must " + requirement(range) + why);
}

}  // namespace SKEWGRAD_NAMESPACE
