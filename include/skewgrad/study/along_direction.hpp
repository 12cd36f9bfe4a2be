// What is measured along one source's direction beyond the attack's own step: sweeps, smallest epsilons, agreement.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/smallest_epsilon.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// One margin an image, from N x K logits.
template <class Real>
std::vector<float> margins_of(const xt::xtensor<Real, 2>& z, Label y) {
    const std::size_t classes = z.shape()[1];
    std::vector<float> margins(z.shape()[0]);
    for (std::size_t n = 0; n < margins.size(); ++n)
        margins[n] = outcome_of(std::span<const Real>(z.data() + n * classes, classes), y).margin;
    return margins;
}

/// Right answers at each epsilon, all images of the class `y` at each: `logits_at(e)` is one forward pass.
template <class LogitsAt>
std::vector<SweepPoint> sweep(std::span<const float> epsilons, Label y, LogitsAt logits_at) {
    std::vector<SweepPoint> points;
    for (const float e : epsilons) {
        SweepPoint& point = points.emplace_back(SweepPoint{.epsilon = e, .accuracy = {}});
        for (const Prediction said : predictions_of(logits_at(e))) {
            point.accuracy.hits += correct(said, y);
            ++point.accuracy.of;
        }
    }
    return points;
}

/// The smallest epsilon that flips, image by image, into their records: one forward pass an epsilon of the grid, over
/// the images that have not flipped yet. `logits_at(e, which)` are the logits of those images at one epsilon.
template <class LogitsAt>
void smallest_epsilons(std::vector<ImageRecord>& records, Label y, LogitsAt logits_at) {
    const std::vector<float> grid = epsilon_grid();
    std::vector<std::vector<float>> margins(records.size());
    std::vector<std::size_t> open;
    for (std::size_t n = 0; n < records.size(); ++n) {
        margins[n].push_back(records[n].clean.margin);
        if (records[n].clean.margin > 0) open.push_back(n);
    }
    for (std::size_t k = 1; k < grid.size() && !open.empty(); ++k) {
        const std::vector<float> now = margins_of(logits_at(grid[k], open), y);
        std::vector<std::size_t> still;
        for (std::size_t i = 0; i < open.size(); ++i) {
            margins[open[i]].push_back(now[i]);
            if (now[i] > 0) still.push_back(open[i]);
        }
        open = std::move(still);
    }
    for (std::size_t n = 0; n < records.size(); ++n) {
        // Beyond the first flip nothing matters; the list is filled up for the interpolation's sake.
        margins[n].resize(grid.size(), margins[n].back());
        records[n].smallest_epsilon = smallest_epsilon(margins[n], grid);
    }
}

/// Cosine and agreement of signs between two lists of gradients, image by image, into their records. A pixel where both
/// are 0 agrees. An image on which either gradient is 0 everywhere has neither number.
template <class Real>
void agreement(std::vector<ImageRecord>& records, const xt::xtensor<Real, 4>& a, const xt::xtensor<Real, 4>& b) {
    const std::size_t pixels = a.size() / std::max<std::size_t>(1, records.size());
    for (std::size_t n = 0; n < records.size(); ++n) {
        double ab = 0, aa = 0, bb = 0;
        std::size_t same = 0;
        for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e) {
            const double x = a.data()[e], y = b.data()[e];
            ab += x * y;
            aa += x * x;
            bb += y * y;
            same += (x > 0) == (y > 0) && (x < 0) == (y < 0);
        }
        if (!(aa > 0) || !(bb > 0)) continue;
        records[n].cosine = std::clamp(ab / (std::sqrt(aa) * std::sqrt(bb)), -1.0, 1.0);
        records[n].sign_agreement = static_cast<double>(same) / static_cast<double>(pixels);
    }
}

}  // namespace SKEWGRAD_NAMESPACE::study
