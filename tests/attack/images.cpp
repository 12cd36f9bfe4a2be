// Which images attacks take: pixels in [0, 1], any finite ones with .clip off; from a user's model and from networks.
// links: reference
#define BOOST_TEST_MODULE attack_images
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <utility>
#include <vector>

#include "attack/linear.hpp"
#include "backend/subjects.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<1, 2, 2>, Dense<5>, Relu, Dense<2>> {};

/// Calls body(name, attack) for every attack, with `clip` as given.
template <class Body>
void for_each_attack(bool clip, Body body) {
    body("fgsm", Attack<FGSM, Ascent>{.clip = clip});
    body("fgsm", Attack<FGSM, Descent>{.clip = clip, .label = LabelSource::Predicted});
    body("iterative", Attack<Iterative, Ascent>{.steps = 2, .clip = clip});
    body("iterative", Attack<Iterative, Ascent>{.steps = 2, .project = false, .clip = clip});
    body("random_sign", Attack<RandomSign, Ascent>{.clip = clip});
    body("permuted_sign", Attack<PermutedSign, Ascent>{.clip = clip});
}

/// A user's model, a network that keeps its images (more than one chunk of them), and one in double.
template <class Body>
void for_each_model(Body body) {
    body(Linear{{1.5f, -2.0f, 0.5f, 0.25f}}, float());
    body(Model<Net, Cpu<f32>>(Seed{3}, Cpu<f32>::Context(1)), float());
    body(Model<Net, Reference<double>>(Seed{3}), double());
}

constexpr std::size_t count = 70, pixels = 4;

/// Images in [0, 1) but for the pixels named.
template <class Real>
xt::xtensor<Real, 4> images_with(std::vector<std::pair<std::size_t, Real>> changed) {
    auto x = random_images<Real>(Net::image, count);
    for (const auto& [at, value] : changed) x.data()[at] = value;
    return x;
}

const std::vector<Label> labels = labels_in_turn(count, 2);

}  // namespace

BOOST_AUTO_TEST_CASE(pixels_outside_0_and_1_are_refused_with_their_places) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        // Image 3, row 1, column 0 and image 68, row 0, column 1; lesser excesses before and after.
        const auto x =
            images_with<Real>({{1, Real(1.25)}, {3 * pixels + 2, Real(1.5)}, {68 * pixels + 1, Real(-0.25)}});
        for_each_attack(true, [&](const char* name, const auto& attack) {
            BOOST_CHECK_EXCEPTION(attack(model, x, labels), ValueError,
                                  says({name, "-0.25 (image 68, channel 0, row 0, column 1)",
                                        "1.5 (image 3, channel 0, row 1, column 0)", "[0, 1]", ".clip off"}));
        });
        const std::vector<float> epsilons{0, 0.1f};
        BOOST_CHECK_EXCEPTION((Attack<FGSM>{}(model, x, labels, epsilons)), ValueError, says({"image 68", "image 3"}));
    });
    // By however little, and where nothing is asked of the model.
    const Linear linear{{1, 2, 3, 4}};
    for (const float outside : {std::nextafter(1.0f, 2.0f), -std::numeric_limits<float>::denorm_min()})
        for_each_attack(true, [&](const char*, const auto& attack) {
            BOOST_CHECK_THROW(attack(linear, images_with<float>({{count * pixels - 1, outside}}), labels), ValueError);
        });
    BOOST_TEST(linear.gradients + linear.passes == 0);
}

BOOST_AUTO_TEST_CASE(both_ends_belong_to_the_interval) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        const auto x = images_with<Real>(
            {{0, Real(0)}, {1, Real(1)}, {2, -Real(0)}, {3, std::numeric_limits<Real>::denorm_min()}});
        for_each_attack(true, [&](const char*, const auto& attack) { BOOST_CHECK_NO_THROW(attack(model, x, labels)); });
    });
}

BOOST_AUTO_TEST_CASE(with_clip_off_any_finite_pixels_are_taken) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        const auto x = images_with<Real>({{1, Real(2.5)}, {68 * pixels, Real(-3)}});
        for_each_attack(false, [&](const char*, const auto& attack) {
            const auto moved = attack(model, x, labels);
            // Epsilon is 0.01; two unprojected steps go twice as far.
            for (std::size_t i = 0; i < x.size(); ++i) BOOST_REQUIRE(std::abs(moved.data()[i] - x.data()[i]) < 0.0201);
        });
        // Evaluation takes them as well.
        BOOST_TEST(evaluate(model, x, labels).total() == static_cast<std::int64_t>(count));
        BOOST_TEST(model.logits(x).shape()[0] == count);
    });
}

BOOST_AUTO_TEST_CASE(bytes_passed_as_pixels_are_recognised) {
    const Linear linear{{1, 2, 3, 4}};
    const auto hints = [&](float greatest, float least = 0) {
        try {
            Attack<FGSM>{}(linear, images_with<float>({{5, greatest}, {6, least}}), labels);
        } catch (const ValueError& e) {
            return std::string(e.what()).find("divide by 255") != std::string::npos;
        }
        throw Error("not refused");
    };
    BOOST_TEST(hints(255));
    BOOST_TEST(hints(17));
    BOOST_TEST(!hints(1.5f));
    BOOST_TEST(!hints(256));
    BOOST_TEST(!hints(255, -1));
}

BOOST_AUTO_TEST_CASE(pixels_that_are_not_finite_are_refused_with_their_place) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        for (const Real bad : {std::numeric_limits<Real>::quiet_NaN(), std::numeric_limits<Real>::infinity(),
                               -std::numeric_limits<Real>::infinity()}) {
            const auto x = images_with<Real>({{67 * pixels + 3, bad}, {68 * pixels, bad}});
            const std::string value = std::isnan(bad) ? "nan" : bad > 0 ? "inf" : "-inf";
            for (const bool clip : {true, false})
                for_each_attack(clip, [&](const char* name, const auto& attack) {
                    BOOST_CHECK_EXCEPTION(attack(model, x, labels), ValueError,
                                          says({name, "image 67, channel 0, row 1, column 1", value, "finite"}));
                });
            const auto refused = says({"image 67, channel 0, row 1, column 1", value, "finite"});
            BOOST_CHECK_EXCEPTION(evaluate(model, x, labels), ValueError, refused);
            BOOST_CHECK_EXCEPTION(outcomes(model, x, labels), ValueError, refused);
            if constexpr (is_network<std::remove_cvref_t<decltype(model)>>) {
                BOOST_CHECK_EXCEPTION(model.logits(x), ValueError, refused);
                BOOST_CHECK_EXCEPTION(model.input_gradient(x, labels), ValueError, refused);
                BOOST_CHECK_EXCEPTION(model.parameter_gradient(x, labels), ValueError, refused);
            }
        }
    });
}

// What one attack made another takes, to the last bit at the interval's ends.
BOOST_AUTO_TEST_CASE(adversarial_images_can_be_attacked_again) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        const auto x = images_with<Real>({{0, Real(0)}, {1, Real(1)}, {2, Real(0)}, {3, Real(1)}});
        for_each_attack(true, [&](const char*, const auto& first) {
            const auto once = first(model, x, labels);
            for_each_attack(true, [&](const char*, const auto& second) {
                const auto twice = second(model, once, labels);
                for (std::size_t i = 0; i < twice.size(); ++i)
                    BOOST_REQUIRE((twice.data()[i] >= 0 && twice.data()[i] <= 1));
            });
        });
    });
}

BOOST_AUTO_TEST_CASE(no_images_are_no_error) {
    for_each_model([&]<class Real>(const auto& model, Real) {
        const auto none = xt::xtensor<Real, 4>::from_shape({0, 1, 2, 2});
        for_each_attack(true, [&](const char*, const auto& attack) {
            BOOST_TEST(attack(model, none, std::vector<Label>{}).shape()[0] == 0u);
        });
    });
}
