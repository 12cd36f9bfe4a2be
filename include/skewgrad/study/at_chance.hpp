// Test for a trained network that is no better than chance: its weights are finite, but it learned nothing.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE {

/// True if the network's test accuracy is not significantly above the majority-class baseline (always predicting the
/// largest test class): the lower end of its Wilson interval (95 %) is at most the baseline. This happens after a loss
/// that exploded and became finite again.
inline bool at_chance(const StudyResults& results, std::size_t training) {
    const Confusion confusion = results.clean_confusion(training);
    std::vector<std::int64_t> images(results.class_names.size());
    for (const Label y : results.test_labels) ++images[static_cast<std::size_t>(index(y))];
    const Ratio accuracy = confusion.accuracy();
    if (!accuracy.defined()) return false;
    const double guess = static_cast<double>(*std::ranges::max_element(images)) / static_cast<double>(accuracy.of);
    return wilson_interval(accuracy, 0.95).low <= guess;
}

}  // namespace SKEWGRAD_NAMESPACE
