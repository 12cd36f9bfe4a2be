// Holm's correction: many tests, one chance in twenty of any false alarm among them.
#pragma once
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Adjusted p values in the order given: with m tests and p ascending, max over j <= i of (m - j + 1) p_j, at most 1
/// (Holm 1979). A test whose adjusted p is below 0.05 is rejected at the family's level of 0.05, whatever depends on
/// what. @throws ValueError for a p outside [0, 1].
inline std::vector<double> holm_adjusted(std::span<const double> p) {
    for (std::size_t i = 0; i < p.size(); ++i)
        if (!(p[i] >= 0 && p[i] <= 1))
            throw ValueError("holm_adjusted: p value " + std::to_string(i) + " is " + std::to_string(p[i]));
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    std::vector<double> adjusted(p.size());
    double largest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        largest = std::max(largest, static_cast<double>(p.size() - i) * p[order[i]]);
        adjusted[order[i]] = std::min(1.0, largest);
    }
    return adjusted;
}

}  // namespace SKEWGRAD_NAMESPACE
