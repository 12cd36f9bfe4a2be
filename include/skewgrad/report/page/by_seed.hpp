// A quantity in every seed, and its estimate over seeds, whose variance is at least that of the images.
#pragma once
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/evaluate/student_t.hpp>
#include <skewgrad/study/claims/measures.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// One quantity of one class in every seed of a report; an element is empty if the study lacks it. A value can also be
/// undefined.
/// `share`: the proportion with its denominator if there is one seed only, so that an interval over images can be
/// computed.
struct BySeed {
    std::vector<std::optional<claims::CaseValue>> values;
    std::optional<Ratio> share{};
};

/// A number and its interval, if it has one.
struct Estimated {
    std::optional<double> value, low, high;
};

/// The estimate over the seeds at these positions; empty if one of them has no value. For several seeds: their mean and
/// Student's 95 % interval, whose variance is at least that of the images. For one seed: the value, with Wilson's 95 %
/// interval over images if it is a proportion, in percent. Missing seeds never contribute to an interval.
inline Estimated estimated(const BySeed& of, const std::vector<std::size_t>& seeds) {
    std::vector<double> values;
    double variance = 0;
    for (const std::size_t s : seeds) {
        if (s >= of.values.size() || !of.values[s] || !of.values[s]->value) return {};
        values.push_back(*of.values[s]->value);
        variance += of.values[s]->variance.value_or(0) / static_cast<double>(seeds.size());
    }
    if (values.empty()) return {};
    const MeanEstimate mean = mean_estimate(values, 0.95, variance);
    if (values.size() > 1 && std::isfinite(mean.interval.low))
        return {mean.mean, mean.interval.low, mean.interval.high};
    if (values.size() > 1 || !of.share) return {mean.mean, std::nullopt, std::nullopt};
    const Interval wilson = wilson_interval(*of.share);
    return {mean.mean, 100 * wilson.low, 100 * wilson.high};
}

}  // namespace SKEWGRAD_NAMESPACE::report
