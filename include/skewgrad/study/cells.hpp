// One source's gradient on one class's images and the adversarial images made from it, shared by several cells.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// The images of one class in a space, and one source's gradient of the cross-entropy at them, there and in canonical
/// form.
template <Space S>
struct SourceImages {
    using Real = typename S::Real;
    template <class T>
    using Array = typename S::template Array<T>;

    ModelView<S>& model;
    xt::xtensor<Real, 4> x, dx;
    std::vector<Label> labels;
    std::vector<std::uint32_t> items;
    attack::TaskMemory<S> memory;
    Array<Real> gradient;
    Task<S> task;  ///< of all these images, with their gradient

    SourceImages(ModelView<S>& source, const TestData& of_class)
        : model(source),
          x(of_class.images()),
          labels(of_class.labels()),
          items(of_class.items()),
          memory(source.queue(), source.pixels(), labels.size(), Seed{}),
          gradient(S::template make<Real>(source.queue(), x.size())),
          task(memory.load(std::span<const Real>(x.data(), x.size()), labels, items, 0)) {
        attack::Scores<S, CrossEntropy> scores(source, {}, task.count);
        source.differentiate(task.x, task.count, {}, scores.visit(task), gradient.data());
        task.gradient = gradient.data();
        dx = tensor(gradient.data());
    }

    std::size_t size() const { return labels.size(); }
    /// Images of the space as a tensor.
    xt::xtensor<Real, 4> tensor(const Real* from) const {
        auto all = xt::xtensor<Real, 4>::from_shape(x.shape());
        images::unload<S, Real>(model.queue(), model.pixels(), from, {all.data(), all.size()});
        return all;
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

/// An attack's images of a source, from its gradient where the attack has a use for it; they lie in the task's `out`.
/// Throws what the attack's own call throws.
template <class A, Space S>
void perturb(const A& attack, SourceImages<S>& source, typename A::template Scratch<S>& own) {
    attack.check();
    if constexpr (requires { attack.clip; }) attack::check_images(A::name, source.x, attack.clip);
    if constexpr (requires { attack.lenders(source.x, source.labels, source.items); })
        own.lend(source.model.queue(), attack.lenders(source.x, source.labels, source.items));
    Task<S> task = source.task;
    const DrawKeys draws{attack::seed_of(attack), 0};
    auto drawn = S::template make<DrawKeys>(source.model.queue(), 1);
    S::template put<DrawKeys>(source.model.queue(), {&draws, 1}, drawn);
    task.draws = drawn.data();
    attack.run(source.model, task, own);
    if constexpr (requires { own.check(source.model.queue(), task.count, 0); })
        own.check(source.model.queue(), task.count, 0);
}

}  // namespace SKEWGRAD_NAMESPACE::study
