// The gradient of a loss at the images, of any model that can be attacked.
#pragma once
#include <cstddef>
#include <span>
#include <type_traits>

#include <skewgrad/model/row_loss.hpp>
#include <skewgrad/model/space_images.hpp>
#include <skewgrad/model/view_of.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The gradient of each image's own loss at its label, N x C x H x W, in evaluation mode. Throws ValueError for images
/// and labels that the model cannot be given.
template <Differentiable M, Loss L = CrossEntropy>
xt::xtensor<differentiable::RealOf<M>, 4> input_gradient(
    const M& of, const std::type_identity_t<xt::xtensor<differentiable::RealOf<M>, 4>>& x, std::span<const Label> y,
    const L& loss = {}) {
    using S = SpaceOf<M>;
    using Real = typename S::Real;
    View<M>::check(x, y);
    auto gradient = xt::xtensor<Real, 4>::from_shape(x.shape());
    const std::size_t count = x.shape()[0];
    if (count == 0) return gradient;
    const Shape shape{static_cast<int>(x.shape()[1]), static_cast<int>(x.shape()[2]), static_cast<int>(x.shape()[3])};
    View<M> view(of, shape, count);
    const auto on = view.queue();
    const FormulaOf<L> formula = loss.at(Moment{});
    const auto formulas = model::sent<S>(on, std::span(&formula, 1));
    const auto labels = model::sent<S>(on, y);
    auto there = S::template make<Real>(on, x.size()), dx = S::template make<Real>(on, x.size());
    images::load<S, Real>(on, view.pixels(), {x.data(), x.size()}, there.data());
    view.differentiate(there.data(), static_cast<int>(count), {},
                       model::gradients_of<S, L>(formulas.data(), labels.data(), 1.0), dx.data());
    images::unload<S, Real>(on, view.pixels(), dx.data(), {gradient.data(), gradient.size()});
    return gradient;
}

}  // namespace SKEWGRAD_NAMESPACE
