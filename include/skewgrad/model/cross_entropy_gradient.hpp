// Vector-Jacobian products of a model that has the gradient of the cross-entropy only.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/model/concepts.hpp>
#include <skewgrad/nn/losses.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A model with `input_gradient(x, y)` as one with `pull_back(x, dz)`. With g_k its gradient at label k,
/// J^T dz = -sum_k dz_k g_k for dz that sum to 0, as those of every loss that a constant added to all logits does not
/// change. It takes one gradient where dz is a multiple of cross-entropy's own at some label, image by image, else K.
/// The model must outlive it.
template <HasInputGradient M>
class FromCrossEntropyGradient {
public:
    using Real = differentiable::RealOf<M>;
    explicit FromCrossEntropyGradient(const M& model) : model_(model) {}

    xt::xtensor<Real, 2> logits(const xt::xtensor<Real, 4>& x) const { return model_.logits(x); }
    /// Throws ValueError for dz that do not sum to 0.
    xt::xtensor<Real, 4> pull_back(const xt::xtensor<Real, 4>& x, const xt::xtensor<Real, 2>& dz) const {
        return pull_back(x, dz, model_.logits(x));
    }
    /// The same where the logits are known.
    xt::xtensor<Real, 4> pull_back(const xt::xtensor<Real, 4>& x, const xt::xtensor<Real, 2>& dz,
                                   const xt::xtensor<Real, 2>& z) const {
        const std::size_t images = z.shape()[0], classes = z.shape()[1], pixels = images > 0 ? x.size() / images : 0;
        std::vector<Label> y(images);
        std::vector<double> factor(images);
        bool simple = true;
        for (std::size_t n = 0; n < images; ++n) {
            const std::span<const Real> row(z.data() + n * classes, classes), d(dz.data() + n * classes, classes);
            check_sum(d, n);
            y[n] = Label(std::min_element(d.begin(), d.end()) - d.begin());
            simple = multiple_of_cross_entropy(row, d, y[n], factor[n]) && simple;
        }
        auto dx = xt::xtensor<Real, 4>::from_shape(x.shape());
        std::fill_n(dx.data(), dx.size(), Real(0));
        const auto add = [&](const std::vector<Label>& at, auto by) {
            const xt::xtensor<Real, 4> g = model_.input_gradient(x, at);
            if (g.shape() != x.shape())
                throw ValueError("a model's input_gradient returned " + std::to_string(g.size()) + " values for " +
                                 std::to_string(x.size()) + " pixels");
            for (std::size_t n = 0; n < images; ++n) {
                const double factor_n = by(n);
                for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e)
                    dx.data()[e] = static_cast<Real>(static_cast<double>(dx.data()[e]) +
                                                     factor_n * static_cast<double>(g.data()[e]));
            }
        };
        if (simple)
            add(y, [&](std::size_t n) { return factor[n]; });
        else
            for (std::size_t k = 0; k < classes; ++k)
                add(std::vector<Label>(images, Label(k)),
                    [&](std::size_t n) { return -static_cast<double>(dz.data()[n * classes + k]); });
        return dx;
    }

private:
    static void check_sum(std::span<const Real> d, std::size_t image) {
        double sum = 0, size = 0;
        for (const Real v : d) sum += static_cast<double>(v), size += std::abs(static_cast<double>(v));
        if (std::abs(sum) > 1e-4 * size)
            throw ValueError("the loss's gradient at the logits of image " + std::to_string(image) + " sums to " +
                             std::to_string(sum) +
                             ": cross-entropy's gradients cannot make it, a model needs "
                             "pull_back for such a loss");
    }
    /// Whether d = factor times cross-entropy's gradient at the label. Its very bits: a factor of exactly 1.
    static bool multiple_of_cross_entropy(std::span<const Real> z, std::span<const Real> d, Label y, double& factor) {
        std::vector<Real> own(z.size());
        const int label = index(y);
        loss::CrossEntropyFormula{}(
            LossCase<Real>{z.data(), nullptr, static_cast<int>(z.size()), label, label, nullptr}, 1.0, own.data(),
            static_cast<Real*>(nullptr));
        factor = 1;
        if (std::equal(own.begin(), own.end(), d.begin())) return true;
        const auto at = [](std::span<const Real> v, std::size_t k) { return static_cast<double>(v[k]); };
        const auto y_at = static_cast<std::size_t>(label);
        factor = own[y_at] != Real(0) ? at(d, y_at) / at(own, y_at) : 0;
        double apart = 0, size = 0;
        for (std::size_t k = 0; k < z.size(); ++k) {
            apart = std::max(apart, std::abs(at(d, k) - factor * at(own, k)));
            size += std::abs(at(d, k));
        }
        return apart <= 1e-6 * size;
    }
    const M& model_;
};

}  // namespace SKEWGRAD_NAMESPACE
