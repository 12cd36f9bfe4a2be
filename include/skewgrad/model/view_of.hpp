// The view of any model: a network's own, a user's model's, or through the gradient of the cross-entropy.
#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <skewgrad/model/cross_entropy_gradient.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/model/user_view.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Views of one type of model share it, where they take turns.
struct NoWorkspaces {};

/// The view of a model, which must outlive it, on images of one shape. `images`: how many a pass is asked for, as a
/// rule. `check(x, y)` throws ValueError for images and labels that the model cannot be given.
template <Differentiable M>
class View;

template <ANetwork N, Backend B>
class View<Model<N, B>> final : public NetworkView<B> {
public:
    using M = Model<N, B>;
    using Shared = Workspaces<B>;
    View(const M& model, Shape, std::size_t images, std::shared_ptr<Shared> own = std::make_shared<Shared>())
        : NetworkView<B>(model.view(images, std::move(own))) {}
    static void check(const xt::xtensor<typename M::Real, 4>& x, std::span<const Label> y) { M::check(x, y); }
};

template <PullsBack M>
    requires(!is_network<M>)
class View<M> final : public UserView<M> {
public:
    using Shared = NoWorkspaces;
    View(const M& model, Shape image, std::size_t, std::shared_ptr<Shared> = nullptr) : UserView<M>(model, image) {}
    static void check(const xt::xtensor<typename View::Real, 4>&, std::span<const Label>) {}
};

namespace differentiable {

// A base, so that it is made before the view that refers to it.
template <class M>
struct Adapted {
    FromCrossEntropyGradient<M> adapted;
};

}  // namespace differentiable

template <HasInputGradient M>
    requires(!PullsBack<M>)
class View<M> final : differentiable::Adapted<M>, public UserView<FromCrossEntropyGradient<M>> {
public:
    using Shared = NoWorkspaces;
    View(const M& model, Shape image, std::size_t, std::shared_ptr<Shared> = nullptr)
        : differentiable::Adapted<M>{FromCrossEntropyGradient<M>(model)},
          UserView<FromCrossEntropyGradient<M>>(this->adapted, image) {}
    static void check(const xt::xtensor<typename View::Real, 4>&, std::span<const Label>) {}
};

template <Differentiable M>
using SpaceOf = typename View<M>::S;

}  // namespace SKEWGRAD_NAMESPACE
