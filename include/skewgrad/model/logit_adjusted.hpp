// Any model with a constant added to each logit.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/model/cross_entropy_gradient.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A model around a model: logits z + b. The gradient at the images of sum_k dz_k (z_k + b_k) is the model's own, so
/// that a pass costs one of the model's (through the gradient of the cross-entropy: up to K).
template <Differentiable M>
class LogitAdjusted {
public:
    using Real = differentiable::RealOf<M>;

    /// @throws ValueError where a model is given another number of logits than `offsets` has, at the first call.
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
    xt::xtensor<Real, 4> pull_back(const xt::xtensor<Real, 4>& x, const xt::xtensor<Real, 2>& dz) const {
        if constexpr (PullsBack<M>)
            return model_->pull_back(x, dz);
        else
            return FromCrossEntropyGradient<M>(*model_).pull_back(x, dz);
    }

private:
    std::shared_ptr<const M> model_;  // models need not be copyable
    std::vector<double> offsets_;
};

}  // namespace SKEWGRAD_NAMESPACE
