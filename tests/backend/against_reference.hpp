// Whole networks on odd shapes, and what a backend's passes and steps must agree with: the reference in double.
#pragma once
#include <boost/mpl/list.hpp>
#include <cmath>
#include <cstddef>
#include <memory>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <vector>

#include "backend/layers.hpp"
#include "backend/passes.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"

namespace skewgrad_tests {
using namespace skewgrad;

// Channels on both sides of the kernels' blocks of 16, images that no tile divides.
struct Square7 : Network<Image<5, 7, 7>, Conv<17>, Relu, Conv<33, 3, 2>, Sigmoid, MaxPool<2>, Conv<20, 1>, Dense<33>,
                         Relu, Dropout<50>, Dense<5>> {};
struct Square12 : Network<Image<3, 12, 12>, Normalize<Statistics>, Conv<20, 5, 3>, Softplus, Conv<17, 3, 3>,
                          AveragePool<2>, Dense<2>> {};
struct Oblong : Network<Image<1, 9, 5>, Conv<33, 5>, Relu, Conv<1, 3, 2, Padding::valid>, ScaleAndShift, Relu,
                        Depthwise, MaxPool<2>, Dense<17>> {};
struct Wide : Network<Image<17, 12, 12>, AveragePool<2>, Conv<20, 5>, Relu, MaxPool<3>, Dense<3>> {};
struct Branched : Network<Image<20, 9, 5>, Residual<Conv<20>, Relu, Conv<20>>, Relu, Dropout<25>,
                          Residual<Conv<33, 1>, Conv<20, 1>>, Residual<>, Dense<10>> {};
struct PooledImage : Network<Image<33, 7, 7>, MaxPool<7>, Dense<20>, Sigmoid, Dense<3>> {};
struct DenseImage : Network<Image<33, 3, 3>, Dense<17>, Relu, Dense<33>> {};

using Networks = boost::mpl::list<Square7, Square12, Oblong, Wide, Branched, PooledImage, DenseImage>;

/// Products in the sums on the way from the pixels to the loss and back to the pixels or into a weight.
template <class N>
double products(std::size_t images) {
    double t = 0, pixels = 1;
    for (const NodePlan& node : N::nodes) {
        if (node.parameter_size == 0) continue;
        t += 2.0 * static_cast<double>(node.parameter_size) / node.out_shape.c;  // taps x channels, there and back
        pixels = std::fmax(pixels, node.out_shape.h * node.out_shape.w);
    }
    return t + pixels * static_cast<double>(images);
}

/// f32 sums of t products stand within 2e-7 sqrt(t) of the reference (numerics: tolerances). A whole network's
/// roundings add up as one walk over all products on the way.
template <class N>
double tolerance(std::size_t images) {
    return 2e-7 * std::sqrt(products<N>(images));
}

template <class N>
struct Subject {
    static constexpr std::size_t images = 5;
    Model<N, Reference<double>> slow{Seed{11}};
    xt::xtensor<double, 4> x = random_images<float>(N::image, images);
    std::vector<Label> y = labels_in_turn(images, N::classes);

    Subject() {
        shake(slow);
        // Both start from the same numbers: those that f32 can hold.
        std::vector<double> values = slow.parameters();
        for (double& v : values) v = static_cast<float>(v);
        slow.set_parameters(values);
    }
    Model<N, Reference<double>> slow_copy() const {
        Model<N, Reference<double>> copy;
        copy.set_parameters(slow.parameters());
        return copy;
    }
    template <class M>
    std::vector<double> losses(const M& model) const {
        ModelPasses<M> passes(model, x, y, images);
        passes.gradient(model);
        return passes.losses();
    }
};

}  // namespace skewgrad_tests
