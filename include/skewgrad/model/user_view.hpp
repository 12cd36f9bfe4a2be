// A user's own model behind the view: images go to it as tensors.
#pragma once
#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>

#include <skewgrad/backend/host/space.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/model/concepts.hpp>
#include <skewgrad/model/view.hpp>

namespace SKEWGRAD_NAMESPACE {

/// On the host, in C x H x W: two copies of the images a pass. The model must outlive it. `classes()` asks the model
/// for the logits of a black image, where no pass has been made yet.
template <PullsBack M>
class UserView : public ModelView<HostSpace<differentiable::RealOf<M>>> {
public:
    using S = HostSpace<differentiable::RealOf<M>>;
    using Real = typename S::Real;

    UserView(const M& model, Shape image) : model_(model), order_{image, false} {}

    typename S::Queue queue() const override { return {}; }
    PixelOrder pixels() const override { return order_; }
    int images_at_a_time() const override { return std::numeric_limits<int>::max(); }
    int classes() override {
        if (classes_ == 0) {
            auto black = tensor(1);
            std::fill_n(black.data(), black.size(), Real(0));
            logits(black);
        }
        return classes_;
    }
    void forward(const Real* x, int count, const Pass& pass, Visit<S> visit) override {
        run(x, count, pass, visit, nullptr);
    }
    void differentiate(const Real* x, int count, const Pass& pass, Visit<S> visit, Real* dx) override {
        run(x, count, pass, visit, dx);
    }

private:
    xt::xtensor<Real, 4> tensor(int count) const {
        const Shape s = order_.shape;
        return xt::xtensor<Real, 4>::from_shape({static_cast<std::size_t>(count), static_cast<std::size_t>(s.c),
                                                 static_cast<std::size_t>(s.h), static_cast<std::size_t>(s.w)});
    }
    xt::xtensor<Real, 2> logits(const xt::xtensor<Real, 4>& x) {
        xt::xtensor<Real, 2> z = model_.logits(x);
        if (z.shape()[0] != x.shape()[0] || z.shape()[1] == 0)
            throw ValueError("a model's logits returned " + std::to_string(z.shape()[0]) + " rows of " +
                             std::to_string(z.shape()[1]) + " for " + std::to_string(x.shape()[0]) + " images");
        classes_ = static_cast<int>(z.shape()[1]);
        return z;
    }
    void run(const Real* x, int count, const Pass& pass, Visit<S> visit, Real* dx) {
        if (pass.views != 1 || pass.statistics != BatchStatistics::running || pass.draws)
            throw ValueError("a user's own model has evaluation passes only");
        auto images = tensor(count);
        std::copy_n(x, images.size(), images.data());
        const xt::xtensor<Real, 2> z = logits(images);
        auto dz = xt::xtensor<Real, 2>::from_shape(z.shape());
        visit(queue(), {0, count, {z.data(), classes_, classes_}, {dx ? dz.data() : nullptr, classes_, classes_}});
        if (!dx) return;
        const xt::xtensor<Real, 4> back = [&]() -> xt::xtensor<Real, 4> {
            if constexpr (requires { model_.pull_back(images, dz, z); })
                return model_.pull_back(images, dz, z);
            else
                return model_.pull_back(images, dz);
        }();
        if (back.shape() != images.shape())
            throw ValueError("a model's pull_back returned " + std::to_string(back.size()) + " values for " +
                             std::to_string(images.size()) + " pixels");
        std::copy_n(back.data(), back.size(), dx);
    }

    const M& model_;
    PixelOrder order_;
    int classes_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE
