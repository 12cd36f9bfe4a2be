// One way to speak to any differentiable model: resident ones keep images in their own form, others use tensors.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>

#include <skewgrad/backend/host/images.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/model/concepts.hpp>

namespace SKEWGRAD_NAMESPACE::attack {

/// What an attack does with a model: load, select, gradient, logits, sign step, unload. Virtual, and named by the form
/// of images alone, so that attacks and what studies make of them are compiled once a form, not once a network.
template <class RealType, class ImagesType>
class HandleInterface {
public:
    using Real = RealType;
    using Images = ImagesType;
    using Tensor = xt::xtensor<Real, 4>;

    virtual ~HandleInterface() = default;
    virtual Images load(const Tensor& x) const = 0;
    virtual Images copy(const Images& x) const = 0;
    virtual Images select(const Images& x, std::span<const std::uint32_t> which) const = 0;  ///< at these positions
    virtual Tensor unload(const Images& x) const = 0;
    virtual void gradient(const Images& x, std::span<const Label> y, Images& g) = 0;
    virtual xt::xtensor<Real, 2> logits(const Images& x) = 0;
    virtual void sign_step(Images& x, const Images& origin, const Images& g, SignStep step) const = 0;
};

/// Some of a tensor's images, from `first` on, in a model's own form, and their labels.
template <class Images>
struct Part {
    std::size_t first;
    const Images& images;
    std::span<const Label> labels;
};

/// The workspaces of models of one type on one context, made when first asked for and kept: fresh ones would cost a
/// pass more than its arithmetic, where images are few. Handles that share them take turns.
template <class M>
class Workspaces {};

template <Resident M>
class Workspaces<M> {
public:
    /// For passes over any number of images, as a rule `images`.
    typename M::Workspace& of(const M& model, Mode mode, std::size_t images) {
        Kept& kept = mode == Mode::evaluate ? for_logits_ : for_gradients_;
        if (!kept.workspace || kept.images < images) kept = {model.workspace(mode, images), images};
        return *kept.workspace;
    }

private:
    struct Kept {
        std::optional<typename M::Workspace> workspace;
        std::size_t images = 0;
    };
    Kept for_logits_, for_gradients_;
};

/// The handle of one model, which must outlive it.
template <class M>
class Handle;

template <Resident M>
class Handle<M> final : public HandleInterface<typename M::Real, typename M::Images> {
public:
    using Real = typename M::Real;
    using Images = typename M::Images;
    using Tensor = xt::xtensor<Real, 4>;

    /// `images`: how many a pass will be asked for, as a rule.
    Handle(const M& model, std::size_t images, std::shared_ptr<Workspaces<M>> own = std::make_shared<Workspaces<M>>())
        : model_(model), images_(images), own_(std::move(own)) {}
    /// Calls body(part) for one part of the images after the other, as many as suit the model: what is made of a part
    /// is still in a near cache when it is read again, and few pages of memory are touched. Throws ValueError for wrong
    /// images or labels before any work is done.
    template <class Body>
    void in_parts(const Tensor& x, std::span<const Label> y, Body body) const {
        if constexpr (Chunked<M>) {
            M::check(x, y);
            const std::size_t images = x.shape()[0];
            std::size_t first = 0;
            do {  // once where there are none, for what the body checks
                const std::size_t count = std::min<std::size_t>(M::chunk, images - first);
                body(Part<Images>{first, model_.load(x, first, count), y.subspan(first, count)});
                first += count;
            } while (first < images);
        } else {
            body(Part<Images>{0, load(x), y});
        }
    }
    /// What was made of a part, to where it belongs among the images of `to`.
    void unload(const Images& x, Tensor& to, std::size_t first) const {
        if constexpr (Chunked<M>)
            model_.unload(x, to, first);
        else
            to = unload(x);
    }
    Images load(const xt::xtensor<Real, 4>& x) const override { return model_.load(x); }
    Images copy(const Images& x) const override { return model_.copy(x); }
    Images select(const Images& x, std::span<const std::uint32_t> which) const override {
        return model_.select(x, which);
    }
    xt::xtensor<Real, 4> unload(const Images& x) const override { return model_.unload(x); }
    void gradient(const Images& x, std::span<const Label> y, Images& g) override {
        model_.gradient(x, y, own_->of(model_, Mode::attack, images_), g, std::span<Real>(), std::span<double>());
    }
    xt::xtensor<Real, 2> logits(const Images& x) override {
        return model_.logits(x, own_->of(model_, Mode::evaluate, images_));
    }
    void sign_step(Images& x, const Images& origin, const Images& g, SignStep step) const override {
        model_.sign_step(x, origin, g, step);
    }

private:
    const M& model_;
    std::size_t images_;
    std::shared_ptr<Workspaces<M>> own_;
};

template <Differentiable M>
    requires(!Resident<M>)
class Handle<M> final : public HandleInterface<differentiable::RealOf<M>, xt::xtensor<differentiable::RealOf<M>, 4>> {
public:
    using Real = differentiable::RealOf<M>;
    using Images = xt::xtensor<Real, 4>;

    explicit Handle(const M& model, std::size_t = 0, std::shared_ptr<Workspaces<M>> = nullptr) : model_(model) {}
    template <class Body>
    void in_parts(const Images& x, std::span<const Label> y, Body body) const {
        body(Part<Images>{0, x, y});
    }
    void unload(const Images& x, Images& to, std::size_t) const { to = x; }
    Images load(const Images& x) const override { return x; }
    Images copy(const Images& x) const override { return x; }
    Images select(const Images& x, std::span<const std::uint32_t> which) const override {
        auto shape = x.shape();
        const std::size_t pixels = x.size() / std::max<std::size_t>(1, shape[0]);
        shape[0] = which.size();
        auto some = Images::from_shape(shape);
        for (std::size_t i = 0; i < which.size(); ++i)
            std::copy_n(x.data() + which[i] * pixels, pixels, some.data() + i * pixels);
        return some;
    }
    Images unload(const Images& x) const override { return x; }
    void gradient(const Images& x, std::span<const Label> y, Images& g) override {
        g = model_.input_gradient(x, y);
        if (g.shape() != x.shape())
            throw ValueError("a model's input_gradient returned " + std::to_string(g.size()) + " values for " +
                             std::to_string(x.size()) + " pixels");
    }
    xt::xtensor<Real, 2> logits(const Images& x) override { return model_.logits(x); }
    void sign_step(Images& x, const Images& origin, const Images& g, SignStep step) const override {
        host::sign_step(x.data(), origin.data(), g.data(), x.size(), step);
    }

private:
    const M& model_;
};

}  // namespace SKEWGRAD_NAMESPACE::attack
