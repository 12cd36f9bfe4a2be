// Optimisers: each formula written out by hand over fifty steps, one element and four, and the schedules.
#define BOOST_TEST_MODULE nn_optimisers
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <skewgrad/nn/check_optimiser.hpp>
#include <skewgrad/nn/optimisers.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "data/files.hpp"

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

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();

template <class O>
void refuses(const O& optimiser, const std::string& rate, const std::string& value) {
    BOOST_TEST_CONTEXT(O::name << ", " << rate << " " << value)
    BOOST_CHECK_EXCEPTION(check(optimiser), ValueError, skewgrad_tests::says({O::name, rate + " is " + value + ","}));
}

/// Every rate of every optimiser, by a pointer to it: what is at and beyond the ends of its range.
template <class O>
void from_zero_on(const char* name, float O::* rate) {
    const auto with = [&](float value) {
        O o;
        o.*rate = value;
        return o;
    };
    refuses(with(-0.5f), name, "-0.5");
    refuses(with(-1e-12f), name, "-1e-12");
    refuses(with(nan_value), name, "nan");
    refuses(with(infinity), name, "inf");
    refuses(with(-infinity), name, "-inf");
    BOOST_CHECK_NO_THROW(check(with(0.5f)));
}
template <class O>
void below_one(const char* name, float O::* rate) {
    from_zero_on(name, rate);
    O o;
    refuses((o.*rate = 1, o), name, "1");
    refuses((o.*rate = 1.5f, o), name, "1.5");
    BOOST_CHECK_NO_THROW((o.*rate = 0, check(o)));
    BOOST_CHECK_NO_THROW((o.*rate = 0.999f, check(o)));
}
template <class O>
void above_zero(const char* name, float O::* rate) {
    from_zero_on(name, rate);
    O o;
    refuses((o.*rate = 0, o), name, "0");
    BOOST_CHECK_NO_THROW((o.*rate = 1e-30f, check(o)));
}

BOOST_AUTO_TEST_CASE(rates_that_cannot_be_are_refused_by_name_and_value) {
    from_zero_on("learning_rate", &RmsProp::learning_rate);
    from_zero_on("decay", &RmsProp::decay);
    below_one("rho", &RmsProp::rho);
    above_zero("epsilon", &RmsProp::epsilon);
    from_zero_on("learning_rate", &TorchRmsProp::learning_rate);
    below_one("alpha", &TorchRmsProp::alpha);
    above_zero("epsilon", &TorchRmsProp::epsilon);
    from_zero_on("learning_rate", &TensorFlowRmsProp::learning_rate);
    below_one("rho", &TensorFlowRmsProp::rho);
    above_zero("epsilon", &TensorFlowRmsProp::epsilon);
    from_zero_on("learning_rate", &Sgd::learning_rate);
    from_zero_on("momentum", &Sgd::momentum);
    from_zero_on("weight_decay", &Sgd::weight_decay);
    refuses(Sgd{.momentum = 1.5f}, "momentum", "1.5");
    from_zero_on("learning_rate", &Adam::learning_rate);
    below_one("beta1", &Adam::beta1);
    below_one("beta2", &Adam::beta2);
    above_zero("epsilon", &Adam::epsilon);
}

BOOST_AUTO_TEST_CASE(rates_that_can_be_are_taken) {
    BOOST_CHECK_NO_THROW(
        (check(RmsProp{}), check(TorchRmsProp{}), check(TensorFlowRmsProp{}), check(Sgd{}), check(Adam{})));
    BOOST_CHECK_NO_THROW(check(Sgd{.learning_rate = 0, .momentum = 1, .nesterov = true}));
    BOOST_CHECK_NO_THROW(check(RmsProp{.learning_rate = 1e38f, .decay = 5}));
}

/// A user's own, with a rate of a name that is not known.
struct Own {
    static constexpr const char* name = "own";
    static constexpr int slots = Sgd::slots;
    static constexpr float slot_start = Sgd::slot_start;
    static constexpr auto fields = names("learning_rate", "heat");
    float learning_rate = 1e-2f;
    double heat = 0;
    template <class S>
    auto at(std::uint64_t updates) const {
        return Sgd{.learning_rate = learning_rate}.at<S>(updates);
    }
};
static_assert(Optimiser<Own>);

BOOST_AUTO_TEST_CASE(a_users_optimiser_is_checked_too) {
    Own own;
    own.heat = -1e300;
    BOOST_CHECK_NO_THROW(check(own));
    own.heat = std::numeric_limits<double>::infinity();
    refuses(own, "heat", "inf");
    own.heat = 0;
    own.learning_rate = -1;
    refuses(own, "learning_rate", "-1");
}

}  // namespace
