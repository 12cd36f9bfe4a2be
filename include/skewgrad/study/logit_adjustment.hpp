// Logit adjustment: corrects the decision threshold of a network trained on a skewed set, after training.
#pragma once
#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/error.hpp>
#include <skewgrad/model/concepts.hpp>
#include <skewgrad/model/model.hpp>

namespace SKEWGRAD_NAMESPACE {

/// log((1/K) / (n_k/n)) for class counts n_k. Added to the logits, it compensates for the class frequencies (Menon et
/// al. 2021, "Long-tail learning via logit adjustment", with tau = 1). Throws ValueError for a class without images.
inline std::vector<double> logit_offsets(std::span<const int> counts) {
    double all = 0;
    for (std::size_t k = 0; k < counts.size(); ++k) {
        if (counts[k] < 1)
            throw ValueError("logit adjustment: class " + std::to_string(k) + " has " + std::to_string(counts[k]) +
                             " training images");
        all += counts[k];
    }
    std::vector<double> offsets;
    for (const int n : counts) offsets.push_back(std::log(all / (static_cast<double>(counts.size()) * n)));
    return offsets;
}

/// Any differentiable model with a constant added to each logit, attacked through the adjusted logits. The gradient of
/// the cross-entropy at z + b is, with q = softmax(z + b) and g_k the model's own gradient at label k, sum over k of
/// q_k (g_y - g_k): each g_y - g_k is the gradient of z_k - z_y, and q weighs them.
/// It takes K gradients for each call; a network needs only one (`with_adjusted_logits`).
template <Differentiable M>
class LogitAdjusted {
public:
    using Real = differentiable::RealOf<M>;

    /// @throws ValueError at the first call if the model's number of logits differs from that of `offsets`.
    LogitAdjusted(M model, std::vector<double> offsets)
        : LogitAdjusted(std::make_shared<const M>(std::move(model)), std::move(offsets)) {}
    LogitAdjusted(std::shared_ptr<const M> model, std::vector<double> offsets)
        : model_(std::move(model)), offsets_(std::move(offsets)) {}

    const std::shared_ptr<const M>& model() const { return model_; }

    xt::xtensor<Real, 2> logits(const xt::xtensor<Real, 4>& x) const {
        xt::xtensor<Real, 2> z = model_->logits(x);
        if (z.shape()[1] != offsets_.size())
            throw ValueError("logit adjustment: " + std::to_string(offsets_.size()) + " offsets for " +
                             std::to_string(z.shape()[1]) + " logits");
        for (std::size_t i = 0; i < z.size(); ++i)
            z.data()[i] = static_cast<Real>(z.data()[i] + offsets_[i % offsets_.size()]);
        return z;
    }
    xt::xtensor<Real, 4> input_gradient(const xt::xtensor<Real, 4>& x, std::span<const Label> y) const {
        const auto z = logits(x);
        const std::size_t classes = offsets_.size(), images = x.shape()[0];
        const std::size_t pixels = images > 0 ? x.size() / images : 0;
        std::vector<double> sum(x.size());
        const xt::xtensor<Real, 4> own = model_->input_gradient(x, y);
        for (std::size_t k = 0; k < classes; ++k) {
            const xt::xtensor<Real, 4> other = model_->input_gradient(x, std::vector<Label>(images, Label(k)));
            for (std::size_t n = 0; n < images; ++n) {
                const double q = probability({z.data() + n * classes, classes}, k);
                for (std::size_t e = n * pixels; e < (n + 1) * pixels; ++e)
                    sum[e] += q * (static_cast<double>(own.data()[e]) - static_cast<double>(other.data()[e]));
            }
        }
        auto gradient = xt::xtensor<Real, 4>::from_shape(x.shape());
        std::transform(sum.begin(), sum.end(), gradient.data(), [](double v) { return static_cast<Real>(v); });
        return gradient;
    }

private:
    static double probability(std::span<const Real> z, std::size_t k) {
        const double most = *std::max_element(z.begin(), z.end());
        double sum = 0;
        for (const Real value : z) sum += std::exp(value - most);
        return std::exp(z[k] - most) / sum;
    }
    std::shared_ptr<const M> model_;  // models need not be copyable
    std::vector<double> offsets_;
};

/// Adds an offset to each bias of a network's last layer, and rounds each sum once. Throws ValueError unless there is
/// one offset for each class.
template <class Real>
void add_to_biases(std::span<Real> biases, std::span<const double> offsets) {
    if (offsets.size() != biases.size())
        throw ValueError("logit adjustment: " + std::to_string(offsets.size()) + " offsets for " +
                         std::to_string(biases.size()) + " logits");
    for (std::size_t k = 0; k < biases.size(); ++k)
        biases[k] = static_cast<Real>(static_cast<double>(biases[k]) + offsets[k]);
}

/// Whether a network ends in the biases of a dense layer. Adding to its logits is then the same as adding to those
/// biases.
template <class N>
inline constexpr bool ends_in_biases = std::string_view(N::nodes.back().layer) == "dense";

/// The model with a constant added to each logit, as a model of the same type. Throws as `add_to_biases` does.
template <ANetwork N, Backend B>
    requires ends_in_biases<N>
Model<N, B> with_adjusted_logits(const Model<N, B>& model, std::span<const double> offsets) {
    constexpr auto classes = static_cast<std::size_t>(N::classes);
    auto values = model.parameters();
    const NodePlan& last = N::nodes.back();
    add_to_biases(std::span(values).subspan(last.parameter_offset + last.parameter_size - classes, classes), offsets);
    Model<N, B> adjusted(model.seed(), model.context());
    adjusted.set_parameters(values);
    return adjusted;
}
/// Logit adjustment for a user's own learner that trains LogitAdjusted models.
template <Differentiable M>
LogitAdjusted<M> with_adjusted_logits(const LogitAdjusted<M>& model, std::span<const double> offsets) {
    return {model.model(), {offsets.begin(), offsets.end()}};
}

template <class M>
concept LogitAdjustable = requires(const M& m, std::span<const double> offsets) {
    { with_adjusted_logits(m, offsets) } -> std::same_as<M>;
};

}  // namespace SKEWGRAD_NAMESPACE
