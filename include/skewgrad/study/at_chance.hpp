// Whether a trained network is no better than a guess: finite weights that have learned nothing.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE {

/// True where the network's accuracy on the test images is not above that of always naming their largest class, beyond
/// what so many images tell: the lower end of its Wilson interval (95 %). A loss that exploded and came back finite
/// ends so.
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
