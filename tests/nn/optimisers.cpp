// Optimisers: each formula written out by hand over fifty steps, one element and four, and the schedules.
#define BOOST_TEST_MODULE nn_optimisers
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <skewgrad/nn/optimisers.hpp>
#include <string_view>
#include <vector>

using namespace skewgrad;

namespace {

static_assert(Optimiser<RmsProp> && Optimiser<TorchRmsProp> && Optimiser<TensorFlowRmsProp> && Optimiser<Sgd> &&
              Optimiser<Adam>);

/// Gradients of both signs and many sizes, with zeros among them.
template <class S>
S gradient_at(int step, int element) {
    if ((step + element) % 7 == 0) return 0;
    return static_cast<S>(std::sin(1.7 * step + element) * std::pow(10.0, (step * 5 + element) % 5 - 3));
}

constexpr int steps = 50, elements = 4;

/// By hand: (weight, gradient, update counted from 0, state) to the next weight.
template <class S>
using State = std::array<S, 2>;

template <class S, class O, class ByHand>
void follows(const O& optimiser, ByHand by_hand, double tolerance) {
    for (int e = 0; e < elements; ++e) {
        S w = static_cast<S>(0.3), slots[2] = {static_cast<S>(O::slot_start), static_cast<S>(O::slot_start)};
        State<S> state{static_cast<S>(O::slot_start), static_cast<S>(O::slot_start)};
        S expected = w;
        for (int t = 0; t < steps; ++t) {
            const S g = gradient_at<S>(t, e);
            optimiser.template at<S>(static_cast<std::uint64_t>(t))(w, g, slots);
            expected = by_hand(expected, g, t, state);
            if (tolerance == 0)
                BOOST_REQUIRE(w == expected);
            else
                BOOST_REQUIRE(std::abs(static_cast<double>(w) - static_cast<double>(expected)) <=
                              tolerance * (1 + std::abs(static_cast<double>(expected))));
        }
    }
}

/// In double to rounding; in f32 to the bit, both sides being the same correctly rounded operations in one order.
template <class O, class ByHand>
void follows_in_both(const O& optimiser, ByHand by_hand) {
    follows<double>(optimiser, by_hand, 1e-13);
    follows<float>(optimiser, by_hand, 0);
}

/// Four elements at once are four single ones, to the bit.
template <class O>
void lanes_agree(const O& optimiser) {
    using optimiser::FloatLanes;
    FloatLanes w, slots[2];
    float single[elements], single_slots[elements][2];
    for (int e = 0; e < elements; ++e) {
        w[e] = single[e] = 0.3f - 0.2f * static_cast<float>(e);
        for (int s = 0; s < 2; ++s) slots[s][e] = single_slots[e][s] = O::slot_start;
    }
    for (int t = 0; t < steps; ++t) {
        const auto step = optimiser.template at<float>(static_cast<std::uint64_t>(t));
        FloatLanes g;
        for (int e = 0; e < elements; ++e) {
            g[e] = gradient_at<float>(t, e);
            step(single[e], gradient_at<float>(t, e), single_slots[e]);
        }
        step(w, g, slots);
        for (int e = 0; e < elements; ++e) {
            const float lane = w[e];
            BOOST_REQUIRE(std::memcmp(&lane, &single[e], sizeof lane) == 0);
        }
    }
}

// The hand-written lines below take their constants as the optimisers do: an f32 rate in the type of the sum.
BOOST_AUTO_TEST_CASE(keras_rms_prop) {
    const RmsProp optimiser{.learning_rate = 1e-2f, .decay = 1e-2f, .rho = 0.9f, .epsilon = 1e-7f};
    follows_in_both(optimiser, []<class S>(S w, S g, int t, State<S>& a) {
        const S rate = static_cast<S>(double{1e-2f} / (1 + double{1e-2f} * t));
        const S grown = S(0.9f) * a[0], fresh = (1 - S(0.9f)) * (g * g);
        a[0] = grown + fresh;
        const S step = rate * g / (std::sqrt(a[0]) + S(1e-7f));
        return w - step;
    });
    lanes_agree(optimiser);
}

BOOST_AUTO_TEST_CASE(torch_rms_prop) {
    const TorchRmsProp optimiser{.learning_rate = 1e-2f, .alpha = 0.97f};
    follows_in_both(optimiser, []<class S>(S w, S g, int, State<S>& a) {
        const S grown = S(0.97f) * a[0], fresh = (1 - S(0.97f)) * (g * g);
        a[0] = grown + fresh;
        const S step = S(1e-2f) * g / (std::sqrt(a[0]) + S(1e-8f));
        return w - step;
    });
    lanes_agree(optimiser);
}

BOOST_AUTO_TEST_CASE(tensorflow_rms_prop) {
    const TensorFlowRmsProp optimiser{.learning_rate = 1e-2f};
    follows_in_both(optimiser, []<class S>(S w, S g, int, State<S>& a) {
        const S grown = S(0.9f) * a[0], fresh = (1 - S(0.9f)) * (g * g);
        a[0] = grown + fresh;
        const S step = S(1e-2f) * g / std::sqrt(a[0] + S(1e-10f));
        return w - step;
    });
    BOOST_TEST(TensorFlowRmsProp::slot_start == 1);
    lanes_agree(optimiser);
}

BOOST_AUTO_TEST_CASE(sgd_with_momentum_nesterov_and_weight_decay) {
    for (const bool nesterov : {false, true})
        for (const float momentum : {0.0f, 0.9f})
            for (const float decay : {0.0f, 1e-2f}) {
                const Sgd optimiser{
                    .learning_rate = 1e-2f, .momentum = momentum, .weight_decay = decay, .nesterov = nesterov};
                follows_in_both(optimiser, [=]<class S>(S w, S g, int t, State<S>& v) {
                    const S pull = S(decay) * w;
                    const S d = g + pull;
                    const S kept = S(momentum) * v[0];
                    v[0] = t == 0 ? d : kept + d;
                    const S ahead = S(momentum) * v[0];
                    const S direction = nesterov ? d + ahead : v[0];
                    const S step = S(1e-2f) * direction;
                    return w - step;
                });
                lanes_agree(optimiser);
            }
}

BOOST_AUTO_TEST_CASE(adam) {
    const Adam optimiser{.learning_rate = 1e-2f};
    follows_in_both(optimiser, []<class S>(S w, S g, int t, State<S>& m) {
        const S old_mean = S(0.9f) * m[0], new_mean = (1 - S(0.9f)) * g;
        m[0] = old_mean + new_mean;
        const S old_square = S(0.999f) * m[1], new_square = (1 - S(0.999f)) * (g * g);
        m[1] = old_square + new_square;
        const S mean = m[0] / static_cast<S>(1 - std::pow(double{0.9f}, t + 1.0));
        const S square = m[1] / static_cast<S>(1 - std::pow(double{0.999f}, t + 1.0));
        const S step = S(1e-2f) * mean / (std::sqrt(square) + S(1e-8f));
        return w - step;
    });
    lanes_agree(optimiser);
    // Bias correction: the first step is one rate along the sign, whatever the gradient's size.
    for (const float g : {1e-3f, -5.0f}) {
        float w = 0, slots[2] = {0, 0};
        optimiser.at<float>(0)(w, g, slots);
        BOOST_TEST(w == (g > 0 ? -1e-2f : 1e-2f), boost::test_tools::tolerance(1e-4f));
    }
}

BOOST_AUTO_TEST_CASE(the_learning_rate_decays_as_keras_says) {
    const RmsProp optimiser{.learning_rate = 1e-4f, .decay = 1e-5f};
    for (const std::uint64_t t : {0ull, 1ull, 1000ull, 281'000ull, 1'000'000'000'000ull}) {
        const double expected = double{1e-4f} / (1 + double{1e-5f} * static_cast<double>(t));
        BOOST_TEST(optimiser.at<double>(t).rate == expected, boost::test_tools::tolerance(1e-15));
        BOOST_TEST(optimiser.at<float>(t).rate == static_cast<float>(expected));
    }
    BOOST_TEST(RmsProp{.learning_rate = 1e-4f}.at<float>(12345).rate == 1e-4f);
    // Half the rate after 1 / decay updates.
    BOOST_TEST(optimiser.at<double>(100'000).rate == 0.5e-4, boost::test_tools::tolerance(1e-6));
}

BOOST_AUTO_TEST_CASE(defaults_are_those_of_their_sources) {
    BOOST_TEST(RmsProp{}.rho == 0.9f);
    BOOST_TEST(RmsProp{}.epsilon == 1e-8f);
    BOOST_TEST(RmsProp{}.decay == 0);
    BOOST_TEST(TorchRmsProp{}.alpha == 0.99f);
    BOOST_TEST(TensorFlowRmsProp{}.epsilon == 1e-10f);
    BOOST_TEST(Adam{}.beta2 == 0.999f);
}

BOOST_AUTO_TEST_CASE(rates_are_visited_by_name) {
    const auto says = [](const auto& optimiser, std::string_view name, double value) {
        bool found = false;
        for_each_value(optimiser,
                       [&](std::string_view of, auto rate) { found = found || (of == name && rate == value); });
        return found;
    };
    BOOST_TEST(says(RmsProp{.decay = 0.5f}, "decay", 0.5));
    BOOST_TEST(says(RmsProp{.rho = 0.25f}, "rho", 0.25));
    BOOST_TEST(says(TorchRmsProp{.alpha = 0.5f}, "alpha", 0.5));
    BOOST_TEST(says(TensorFlowRmsProp{.learning_rate = 2}, "learning_rate", 2));
    BOOST_TEST(says(Sgd{.nesterov = true}, "nesterov", 1));
    BOOST_TEST(says(Adam{.beta2 = 0.5f}, "beta2", 0.5));
}

}  // namespace
