// Attacks' own values: what each refuses, before any image is there and before a model is asked.
#define BOOST_TEST_MODULE attack_values
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <skewgrad/attack/attacks.hpp>
#include <string>
#include <vector>

#include "attack/linear.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

constexpr float nan_value = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();

const Images x = images_of({0.5f, 0.25f, 0.75f, 0.9f, 0.1f, 0.5f, 0.5f, 0.5f});
const std::vector<Label> y(2);

/// By `check` and by a call, which asks the model nothing.
template <class A>
void refuses(const A& attack, const std::string& value, const std::string& is) {
    BOOST_TEST_CONTEXT(A::name << ", " << value << " " << is) {
        const auto sentence = says({A::name, value + " is " + is});
        BOOST_CHECK_EXCEPTION(attack.check(), ValueError, sentence);
        const Linear linear{{1, 2, 3, 4}};
        BOOST_CHECK_EXCEPTION(attack(linear, x, y), ValueError, sentence);
        BOOST_TEST(linear.gradients + linear.passes == 0);
    }
}

template <class A>
void takes(const A& attack) {
    BOOST_CHECK_NO_THROW(attack.check());
    const Linear linear{{1, 2, 3, 4}};
    BOOST_CHECK_NO_THROW(attack(linear, x, y));
}

template <class A>
void refuses_bad_epsilons() {
    for (const auto& [epsilon, text] : std::vector<std::pair<float, std::string>>{{-0.1f, "-0.1"},
                                                                                  {-1e-9f, "-1e-09"},
                                                                                  {8, "8"},
                                                                                  {1.5f, "1.5"},
                                                                                  {nan_value, "nan"},
                                                                                  {inf, "inf"},
                                                                                  {-inf, "-inf"}})
        refuses(A{.epsilon = epsilon}, "epsilon", text);
    takes(A{.epsilon = 0});
    takes(A{.epsilon = 1});
}

template <class A>
void refuses_bad_signs_of_zero() {
    for (const auto& [sign, text] : std::vector<std::pair<float, std::string>>{
             {1000, "1000"}, {1.0625f, "1.0625"}, {-2, "-2"}, {nan_value, "nan"}, {inf, "inf"}})
        refuses(A{.sign_of_zero = sign}, "sign_of_zero", text);
    for (const float sign : {-1.0f, 0.0f, 0.5f, 1.0f}) takes(A{.sign_of_zero = sign});
}

}  // namespace

BOOST_AUTO_TEST_CASE(epsilons) {
    refuses_bad_epsilons<Attack<FGSM, Ascent>>();
    refuses_bad_epsilons<Attack<Iterative, Descent>>();
    refuses_bad_epsilons<Attack<RandomSign, Ascent>>();
    refuses_bad_epsilons<Attack<PermutedSign, Ascent>>();
    const Linear linear{{1, 2, 3, 4}};
    const std::vector<float> list{0, 0.5f, 8};
    BOOST_CHECK_EXCEPTION((Attack<FGSM>{}(linear, x, y, list)), ValueError, says({"fgsm", "epsilon is 8"}));
    BOOST_TEST(linear.gradients == 0);
}

BOOST_AUTO_TEST_CASE(signs_of_zero) {
    refuses_bad_signs_of_zero<Attack<FGSM, Ascent>>();
    refuses_bad_signs_of_zero<Attack<Iterative, Ascent>>();
    refuses_bad_signs_of_zero<Attack<PermutedSign, Descent>>();
}

BOOST_AUTO_TEST_CASE(steps_and_their_length) {
    using Steps = Attack<Iterative, Ascent>;
    refuses(Steps{.steps = 0}, "steps", "0");
    refuses(Steps{.steps = -3}, "steps", "-3");
    refuses(Steps{.alpha = -1e-9f}, "alpha", "-1e-09");
    refuses(Steps{.alpha = inf}, "alpha", "inf");
    refuses(Steps{.alpha = nan_value}, "alpha", "nan");
    takes(Steps{.steps = 1, .alpha = 0.5f});
}

// 24 bits of a stream tell samples apart: the next one would be the first one's noise again.
BOOST_AUTO_TEST_CASE(samples_of_noise) {
    refuses(Attack<RandomSign>{.sample = 1u << 24}, "sample", "16777216");
    takes(Attack<RandomSign>{.sample = (1u << 24) - 1});
}
