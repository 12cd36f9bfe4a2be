// A model on images: its confusion matrix, and the record of every image.
#pragma once
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/evaluate/confusion.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/model/concepts.hpp>

namespace SKEWGRAD_NAMESPACE {

/// One record an image of x, N x C x H x W: prediction, margin, loss, confidence.
template <Differentiable M>
std::vector<Outcome> outcomes(const M& model, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x,
                              std::span<const Label> y) {
    const xt::xtensor<differentiable::RealOf<M>, 2> z = model.logits(x);
    return outcomes_of(z, y);
}

/// The confusion matrix of a model on images and their labels.
template <Differentiable M>
Confusion evaluate(const M& model, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x,
                   std::span<const Label> y) {
    const xt::xtensor<differentiable::RealOf<M>, 2> z = model.logits(x);
    return Confusion(static_cast<int>(z.shape()[1]), y, predictions_of(z));
}

/// The same on a data set, whose images need not all be floats at once where the model can stream them.
template <Differentiable M, Split S>
std::vector<Outcome> outcomes(const M& model, const Subset<S>& data) {
    if constexpr (requires { model.logits(data); })
        return outcomes_of(model.logits(data), data.labels());
    else
        return outcomes(model, data.images(), data.labels());
}
template <Differentiable M, Split S>
Confusion evaluate(const M& model, const Subset<S>& data) {
    const std::vector<Label> y = data.labels();
    const auto records = outcomes(model, data);
    return Confusion(data.classes(), y, predictions_of(records));
}

}  // namespace SKEWGRAD_NAMESPACE
