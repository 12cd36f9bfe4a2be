// A model's passes over some images with a workspace of a chosen size: logits, losses, gradients.
#pragma once
#include <array>
#include <cstddef>
#include <skewgrad/model/model.hpp>
#include <span>
#include <vector>
#include <xtensor/xtensor.hpp>

#include "../nn/cross_entropy.hpp"

namespace skewgrad_tests {

/// Images and labels in a model's space, and what passes make of them. `block`: images of the workspaces.
template <class M>
class ModelPasses {
public:
    using P = typename M::Operations;
    using S = typename M::SpaceType;
    using Real = typename M::Real;
    template <class T>
    using Array = typename S::template Array<T>;

    ModelPasses(const M& of, const xt::xtensor<Real, 4>& x, std::span<const skewgrad::Label> y, int block = 64)
        : count_(static_cast<int>(y.size())),
          attack_(P::make_workspace(of.context(), M::plan(), skewgrad::Mode::attack, block)),
          train_(P::make_workspace(of.context(), M::plan(), skewgrad::Mode::train, block)),
          evaluate_(P::make_workspace(of.context(), M::plan(), skewgrad::Mode::evaluate, block)),
          training_(P::make_training(of.context(), M::plan(), skewgrad::model::GradientsOnly{})),
          queue_(P::queue(of.context())),
          x_(S::template make<Real>(queue_, x.size())),
          dx_(S::template make<Real>(queue_, x.size())),
          logits_(S::template make<Real>(queue_, y.size() * static_cast<std::size_t>(M::classes))),
          losses_(S::template make<double>(queue_, y.size())),
          labels_(skewgrad::model::sent<S>(queue_, y)),
          formula_(S::template make<Formula>(queue_, 1)),
          shape_(x.shape()) {
        const Formula one = skewgrad::CrossEntropy{}.at({});
        S::template put<Formula>(queue_, {&one, 1}, formula_);
        skewgrad::images::load<S, Real>(queue_, order(), {x.data(), x.size()}, x_.data());
    }

    /// Forward alone.
    void forward(const M& model) {
        P::forward(model.context(), M::plan(), model.backend_parameters(), x_.data(), count_, evaluate_, {},
                   skewgrad::images::keep_rows<S>(logits_.data()));
    }
    /// Logits, losses and the gradient at the images; with the training workspace where asked for.
    void gradient(const M& model, bool with_training_workspace = false, const skewgrad::Pass& pass = {}) {
        P::differentiate(model.context(), M::plan(), model.backend_parameters(), x_.data(), count_,
                         with_training_workspace ? train_ : attack_, pass, visit(1.0), dx_.data());
    }
    /// Adds the gradient of the mean loss with respect to all parameters to what was there.
    void add_weight_gradients(const M& model) {
        P::differentiate(model.context(), M::plan(), model.backend_parameters(), x_.data(), count_, train_, {},
                         visit(1.0 / count_), nullptr, training_);
    }
    /// The gradient of the mean loss with respect to all parameters, in canonical order.
    std::vector<Real> weights(const M& model) {
        training_ = P::make_training(model.context(), M::plan(), skewgrad::model::GradientsOnly{});
        add_weight_gradients(model);
        std::vector<Real> out(M::Network::state_size);
        P::export_gradients(model.context(), M::plan(), training_, out);
        return out;
    }

    std::vector<Real> logits() const { return read<Real>(logits_); }
    std::vector<double> losses() const { return read<double>(losses_); }
    xt::xtensor<Real, 4> dx() const {
        auto all = xt::xtensor<Real, 4>::from_shape(shape_);
        skewgrad::images::unload<S, Real>(queue_, order(), dx_.data(), {all.data(), all.size()});
        return all;
    }

private:
    using Formula = skewgrad::FormulaOf<skewgrad::CrossEntropy>;
    static skewgrad::PixelOrder order() { return P::pixels(M::plan()); }
    template <class T>
    std::vector<T> read(const Array<T>& from) const {
        std::vector<T> all(from.size());
        S::template get<T>(queue_, from, all);
        return all;
    }
    auto visit(double scale) {
        return [this, scale](const typename S::Queue& on, const skewgrad::LogitBlock<Real>& block) {
            S::each(on, block.count, skewgrad::images::CopyRows<Real, Real>{block, logits_.data()});
            S::each(on, block.count,
                    skewgrad::RowLoss<Formula, Real>{.formula = formula_.data(),
                                                     .block = block,
                                                     .labels = labels_.data(),
                                                     .scale = scale,
                                                     .losses = losses_.data()});
        };
    }

    int count_;
    typename P::Workspace attack_, train_, evaluate_;
    typename P::template Training<skewgrad::model::GradientsOnly> training_;
    typename S::Queue queue_;
    Array<Real> x_, dx_, logits_;
    Array<double> losses_;
    Array<skewgrad::Label> labels_;
    Array<Formula> formula_;
    std::array<std::size_t, 4> shape_;
};

/// The cross-entropy of a row of logits.
template <class Real>
double cross_entropy(const Real* z, int classes, skewgrad::Label y) {
    return CrossEntropyOfRow::value(z, classes, y);
}

}  // namespace skewgrad_tests
