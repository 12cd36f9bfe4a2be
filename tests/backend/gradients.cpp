// Every layer's gradients against central differences of the loss, on the reference backend in double.
// links: reference
#define BOOST_TEST_MODULE backend_gradients
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>

#include "backend/layers.hpp"
#include "backend/subjects.hpp"
#include "nn/cross_entropy.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

// Kernels of 1, 3 and 5 taps with strides 1, 2 and 3, padded and not: each stands in one of these.
struct Same1 : Network<Image<2, 7, 6>, Conv<3, 1>, Softplus, Conv<3, 3>, Sigmoid, Conv<2, 5>, Dense<3>> {};
struct Same2 : Network<Image<2, 13, 10>, Conv<3, 3, 2>, Sigmoid, Conv<3, 5, 2>, Conv<2, 1, 2>, Dense<3>> {};
struct Same3 : Network<Image<1, 17, 12>, Conv<3, 5, 3>, Conv<2, 3, 3>, Softplus, Conv<3, 1, 3>, Dense<3>> {};
template <int Out, int Kernel, int Stride>
using Valid = Conv<Out, Kernel, Stride, Padding::valid>;
struct Valid1 : Network<Image<3, 9, 8>, Valid<3, 3, 1>, Softplus, Valid<2, 5, 1>, Valid<3, 1, 1>, Dense<3>> {};
struct Valid2 : Network<Image<2, 17, 16>, Valid<3, 5, 2>, Valid<2, 3, 2>, Sigmoid, Valid<3, 1, 2>, Dense<3>> {};
struct Valid3 : Network<Image<2, 20, 17>, Valid<3, 5, 3>, Valid<2, 3, 3>, Valid<3, 1, 3>, Dense<3>> {};
struct Pools : Network<Image<3, 24, 12>, Normalize<Statistics>, Conv<4>, Relu, MaxPool<2>, Dropout<50>, Conv<3>,
                       AveragePool<2>, MaxPool<3>, Dense<5>, Relu, Dense<1 + 3>> {};
// Branches on the image itself, in branches, empty (x + x), and read by an epilogue.
struct Branches : Network<Image<3, 5, 4>, Residual<Conv<3>, Softplus>, Relu,
                          Residual<Residual<Conv<3, 1>, Relu, Conv<3>>, Relu>, Residual<>, Dense<3>> {};
struct OneBranch : Network<Image<3, 6, 6>, Residual<Conv<3>>, AveragePool<6>, Dense<3>> {};
struct TwiceTheImage : Network<Image<2, 3, 3>, Residual<>, Dense<3>> {};
struct Own : Network<Image<3, 5, 6>, ScaleAndShift, Conv<4>, Depthwise, Sigmoid, ScaleAndShift, Softplus, Dense<3>> {};

using Networks =
    boost::mpl::list<Same1, Same2, Same3, Valid1, Valid2, Valid3, Pools, Branches, OneBranch, TwiceTheImage, Own>;

// A step of 1e-5 leaves an error near 1e-10 of the loss's third derivative and 1e-11 of rounding.
constexpr double step = 1e-5, tolerance = 1e-7;

template <class N>
struct Subject {
    static constexpr std::size_t images = 3;
    Model<N, Reference<double>> model{Seed{5}};
    xt::xtensor<double, 4> x = random_images<double>(N::image, images);
    std::vector<Label> y = labels_in_turn(images, N::classes);

    Subject() { shake(model); }
    std::vector<double> losses(const xt::xtensor<double, 4>& at) const {
        const auto z = model.logits(at);
        std::vector<double> all(images);
        for (std::size_t n = 0; n < images; ++n) all[n] = CrossEntropyOfRow::value(&z(n, 0), N::classes, y[n]);
        return all;
    }
};

BOOST_AUTO_TEST_CASE_TEMPLATE(input_gradient_is_the_slope_of_each_images_loss, N, Networks) {
    const Subject<N> s;
    const auto gradient = s.model.input_gradient(s.x, s.y);
    xt::xtensor<double, 4> slope = gradient, moved = s.x;
    const std::size_t pixels = s.x.size() / s.images;
    for (std::size_t i = 0; i < pixels; ++i) {
        const auto move = [&](double by) {
            for (std::size_t n = 0; n < s.images; ++n) moved.data()[n * pixels + i] = s.x.data()[n * pixels + i] + by;
            return s.losses(moved);
        };
        const auto up = move(step), down = move(-step);
        move(0);
        for (std::size_t n = 0; n < s.images; ++n) slope.data()[n * pixels + i] = (up[n] - down[n]) / (2 * step);
    }
    BOOST_TEST(relative_distance(gradient, slope) < tolerance);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(parameter_gradient_is_the_slope_of_the_mean_loss, N, Networks) {
    Subject<N> s;
    const auto gradient = s.model.parameter_gradient(s.x, s.y);
    const auto values = s.model.parameters();
    auto moved = values, slope = values;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto mean = [&](double by) {
            moved[i] = values[i] + by;
            s.model.set_parameters(moved);
            double sum = 0;
            for (const double loss : s.losses(s.x)) sum += loss;
            return sum / s.images;
        };
        const double up = mean(step), down = mean(-step);
        mean(0);
        slope[i] = (up - down) / (2 * step);
    }
    std::size_t at = 0;
    for (const Parameter& p : N::parameters) {
        BOOST_TEST_CONTEXT(p.name << " at " << at)
        BOOST_TEST(relative_distance(gradient, slope, at, p.size()) < tolerance);
        at += p.size();
    }
}

}  // namespace
