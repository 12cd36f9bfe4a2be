// One source's gradient on one class's images, and everything made from it: cells share what they can.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/smallest_epsilon.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// The images of one class, one source's gradient at them, in the model's form and in canonical form.
template <class M>
struct SourceImages {
    using Handle = attack::Handle<M>;
    using Images = typename Handle::Images;
    using Real = typename Handle::Real;

    Handle handle;
    xt::xtensor<Real, 4> x, dx;
    Images origin, gradient;
    std::vector<Label> labels;
    std::vector<std::uint32_t> items;

    SourceImages(const M& source, const TestData& of_class)
        : handle(source, of_class.size()),
          x(of_class.images()),
          origin(handle.load(x)),
          gradient(handle.copy(origin)),
          labels(of_class.labels()),
          items(of_class.items()) {
        handle.gradient(origin, labels, gradient);
        dx = handle.unload(gradient);
    }

    /// Norm and zeros of each image's gradient into its record.
    void describe(std::vector<ImageRecord>& records) const {
        const std::size_t pixels = dx.size() / std::max<std::size_t>(1, labels.size());
        for (std::size_t n = 0; n < records.size(); ++n) {
            double norm = 0;
            std::int32_t zeros = 0;
            for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e) {
                norm += std::abs(static_cast<double>(dx.data()[e]));
                zeros += dx.data()[e] == 0;
            }
            records[n].item = items[n];
            records[n].gradient_norm1 = norm;
            records[n].zero_pixels = zeros;
            records[n].zero_gradient = static_cast<std::size_t>(zeros) == pixels;
        }
    }
};

/// Adversarial images of each attack, from the shared gradient where it has a use for it.
template <class D, class S>
auto perturb(const Attack<FGSM, D>& a, S& source) {
    if (a.label == LabelSource::True) return a.step(source.handle, source.origin, source.gradient, a.epsilon);
    auto gradient = source.handle.copy(source.origin);
    source.handle.gradient(source.origin, attack::labels_said(source.handle.logits(source.origin)), gradient);
    return a.step(source.handle, source.origin, gradient, a.epsilon);
}
template <class D, class S>
auto perturb(const Attack<Iterative, D>& a, S& source) {
    return a.run(source.handle, source.origin, source.labels);
}
template <class D, class S>
auto perturb(const Attack<RandomSign, D>& a, S& source) {
    return a.run(source.handle, source.origin, source.x.shape(), source.items);
}
template <class D, class S>
auto perturb(const Attack<PermutedSign, D>& a, S& source) {
    return a.run(source.handle, source.origin, source.dx, source.labels, source.items);
}

/// Whether an attack asks a model for anything: noise is the same whatever the source, so it has one cell a victim.
template <class A>
inline constexpr bool uses_source = true;
template <class D>
inline constexpr bool uses_source<Attack<RandomSign, D>> = false;

/// Whether the smallest epsilon that flips is measured along this attack's direction.
template <class A>
inline constexpr bool has_direction = false;
template <>
inline constexpr bool has_direction<Attack<FGSM, Ascent>> = true;

/// The victim's smallest epsilon that flips, image by image: one forward pass an epsilon of the grid, over the images
/// that have not flipped yet.
template <class A, class S, class M>
void smallest_epsilons(const A& a, S& source, const M& victim, std::vector<ImageRecord>& records) {
    using Real = typename S::Real;
    const std::vector<float> grid = epsilon_grid();
    const std::size_t pixels = source.x.size() / std::max<std::size_t>(1, records.size());
    std::vector<std::vector<float>> margins(records.size());
    std::vector<std::size_t> open;
    for (std::size_t n = 0; n < records.size(); ++n) {
        margins[n].push_back(records[n].clean.margin);
        if (records[n].clean.margin > 0) open.push_back(n);
    }
    const auto rows = [&](const xt::xtensor<Real, 4>& of) {
        auto shape = of.shape();
        shape[0] = open.size();
        auto some = xt::xtensor<Real, 4>::from_shape(shape);
        for (std::size_t i = 0; i < open.size(); ++i)
            std::copy_n(of.data() + open[i] * pixels, pixels, some.data() + i * pixels);
        return some;
    };
    for (std::size_t k = 1; k < grid.size() && !open.empty(); ++k) {
        const auto origin = source.handle.load(rows(source.x));
        const auto gradient = source.handle.load(rows(source.dx));
        const auto z = victim.logits(a.step(source.handle, origin, gradient, grid[k]));
        std::vector<std::size_t> still;
        for (std::size_t i = 0; i < open.size(); ++i) {
            const std::size_t n = open[i];
            const std::size_t classes = z.shape()[1];
            const float margin =
                outcome_of(std::span<const Real>(z.data() + i * classes, classes), source.labels[n]).margin;
            margins[n].push_back(margin);
            if (margin > 0) still.push_back(n);
        }
        open = std::move(still);
    }
    for (std::size_t n = 0; n < records.size(); ++n) {
        // Beyond the first flip nothing matters; the list is filled up for the interpolation's sake.
        margins[n].resize(grid.size(), margins[n].back());
        records[n].smallest_epsilon = smallest_epsilon(margins[n], grid);
    }
}

}  // namespace SKEWGRAD_NAMESPACE::study
