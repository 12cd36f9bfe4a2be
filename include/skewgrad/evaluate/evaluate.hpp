// Evaluation of a model on images: its confusion matrix, and the record of every image.
#pragma once
#include <span>
#include <type_traits>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/data/dataset.hpp>
#include <skewgrad/evaluate/confusion.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/model/concepts.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/model/pixels.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace evaluation {

/// N x K logits. A pixel that is not finite is refused, whatever the model would make of it; networks do that.
template <Classifier M>
xt::xtensor<differentiable::RealOf<M>, 2> logits(const M& model, const xt::xtensor<differentiable::RealOf<M>, 4>& x) {
    if constexpr (!is_network<M>) checks::finite_pixels("evaluate", x);
    return model.logits(x);
}
/// The same of a data set, whose images need not all be floats at once where the model can stream them.
template <Classifier M, Split S>
xt::xtensor<differentiable::RealOf<M>, 2> logits(const M& model, const Subset<S>& data) {
    if constexpr (requires { model.logits(data); })
        return model.logits(data);
    else
        return model.logits(data.images());
}
/// Over all classes that the model predicts, whatever classes the data set names.
template <class Real>
Confusion confusion(const xt::xtensor<Real, 2>& z, std::span<const Label> y) {
    return Confusion(static_cast<int>(z.shape()[1]), y, predictions_of(z));
}

}  // namespace evaluation

/// One record an image of x, N x C x H x W: prediction, margin, loss, confidence. Throws ValueError for a pixel that is
/// not finite; pixels outside [0, 1] are taken.
template <Classifier M>
std::vector<Outcome> outcomes(const M& model, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x,
                              std::span<const Label> y) {
    return outcomes_of(evaluation::logits(model, x), y);
}
/// The same of a data set.
template <Classifier M, Split S>
std::vector<Outcome> outcomes(const M& model, const Subset<S>& data) {
    return outcomes_of(evaluation::logits(model, data), data.labels());
}

/// The confusion matrix of a model on images and their labels, K x K for K logits.
template <Classifier M>
Confusion evaluate(const M& model, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x,
                   std::span<const Label> y) {
    return evaluation::confusion(evaluation::logits(model, x), y);
}
/// The same on a data set, which may name fewer classes.
template <Classifier M, Split S>
Confusion evaluate(const M& model, const Subset<S>& data) {
    return evaluation::confusion(evaluation::logits(model, data), data.labels());
}

}  // namespace SKEWGRAD_NAMESPACE
