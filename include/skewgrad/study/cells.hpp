// One source's gradient on one class's images and the adversarial images made from it, shared by several cells.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// The images of one class and one source's gradient at them, in the model's form and in canonical form.
template <class Real, class Images>
struct SourceImages {
    attack::HandleInterface<Real, Images>& handle;
    xt::xtensor<Real, 4> x, dx;
    Images origin, gradient;
    std::vector<Label> labels;
    std::vector<std::uint32_t> items;

    SourceImages(attack::HandleInterface<Real, Images>& source, const TestData& of_class)
        : handle(source),
          x(of_class.images()),
          origin(handle.load(x)),
          gradient(handle.copy(origin)),
          labels(of_class.labels()),
          items(of_class.items()) {
        handle.gradient(origin, labels, gradient);
        dx = handle.unload(gradient);
    }

    /// Writes the norm and the number of zeros of each image's gradient into its record.
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

/// Adversarial images of each attack, made from the shared gradient if the attack uses it.
template <class D, class S>
auto perturb(const Attack<FGSM, D>& a, S& source) {
    if (a.label == LabelSource::True) return a.step(source.handle, source.origin, source.gradient, a.epsilon);
    auto gradient = source.handle.copy(source.origin);
    source.handle.gradient(source.origin, a.labels_at(source.handle, source.origin, source.labels), gradient);
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
    return a.run(source.handle, source.origin, source.gradient, a.lenders(source.x, source.labels, source.items));
}

template <class A, class S>
auto perturb(const AsSelfCheck<A>& check, S& source) {
    return perturb(check.attack, source);
}

/// Whether an attack uses a model's gradient. Noise does not depend on the source, so it has one cell for each victim.
template <class A>
inline constexpr bool uses_source = true;
template <class D>
inline constexpr bool uses_source<Attack<RandomSign, D>> = false;

template <class A>
inline constexpr bool is_self_check = false;
template <class A>
inline constexpr bool is_self_check<AsSelfCheck<A>> = true;

/// Throws ValueError, naming field and value, if an attack has invalid values.
template <class A>
void check_values(const A& attack) {
    if constexpr (is_self_check<A>)
        check_values(attack.attack);
    else if constexpr (requires { attack.check(); })
        attack.check();
}
/// Throws ValueError if an attack derives an image's perturbation from other images and these images lack them.
template <class A>
void check_images(const A& attack, const TestData& of_class) {
    if constexpr (is_self_check<A>)
        check_images(attack.attack, of_class);
    else if constexpr (requires { attack.check(of_class); })
        attack.check(of_class);
}

/// The number of gradients that an attack computes beyond the one that its source's cells share.
template <class A>
int further_gradients(const A& attack) {
    if constexpr (is_self_check<A>)
        return further_gradients(attack.attack);
    else if constexpr (requires { attack.steps; })
        return attack.steps;
    else
        return 0;
}

/// Whether smallest epsilons and sweeps are measured along this attack's direction.
template <class A>
inline constexpr bool has_direction = false;
template <>
inline constexpr bool has_direction<Attack<FGSM, Ascent>> = true;

}  // namespace SKEWGRAD_NAMESPACE::study
