// FGSM and the iterative method: their definitions by hand on a linear model, and on networks that keep their images.
#define BOOST_TEST_MODULE attack_gradient_sign
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <memory>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>
#include <xtensor/xview.hpp>

#include "attack/linear.hpp"
#include "backend/passes.hpp"
#include "backend/subjects.hpp"
#include "data/files.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using Values = std::vector<float>;
const auto each = boost::test_tools::per_element();

// Two images; weights of both signs and a zero.
const Linear linear{{1.5f, -2.0f, 0.0f, 0.25f}};
const Images x = images_of({0.5f, 0.25f, 0.75f, 0.995f, 0.003f, 0.5f, 0.5f, 0.5f});
const std::vector<Label> y{Label{0}, Label{1}};

static_assert(AttackOn<Attack<FGSM, Ascent>, Linear> && AttackOn<Attack<Iterative, Descent>, Linear>);

BOOST_AUTO_TEST_CASE(fgsm_is_one_step_along_the_sign_clipped) {
    // Up the loss: at label 0 along w, at label 1 against it.
    BOOST_TEST(pixels_of(Attack<FGSM, Ascent>{.epsilon = 0.01f}(linear, x, y)) ==
                   (Values{0.5f + 0.01f, 0.25f - 0.01f, 0.75f, 1, 0, 0.5f + 0.01f, 0.5f, 0.5f - 0.01f}),
               each);
    BOOST_TEST(pixels_of(Attack<FGSM, Descent>{.epsilon = 0.01f}(linear, x, y)) ==
                   (Values{0.5f - 0.01f, 0.25f + 0.01f, 0.75f, 0.995f - 0.01f, 0.003f + 0.01f, 0.5f - 0.01f, 0.5f,
                           0.5f + 0.01f}),
               each);
    BOOST_TEST(pixels_of(Attack<FGSM, Ascent>{.epsilon = 0.01f, .clip = false}(linear, x, y)) ==
                   (Values{0.5f + 0.01f, 0.25f - 0.01f, 0.75f, 0.995f + 0.01f, 0.003f - 0.01f, 0.5f + 0.01f, 0.5f,
                           0.5f - 0.01f}),
               each);
    BOOST_TEST(pixels_of(Attack<FGSM, Ascent>{.epsilon = 0}(linear, x, y)) == pixels_of(x), each);
}

BOOST_AUTO_TEST_CASE(a_zero_gradient_moves_nothing_or_as_plus_one) {
    const auto moved = pixels_of(Attack<FGSM, Ascent>{.epsilon = 0.01f, .sign_of_zero = 1}(linear, x, y));
    BOOST_TEST(moved[2] == 0.75f + 0.01f);
    BOOST_TEST(moved[6] == 0.5f + 0.01f);
    const auto down = pixels_of(Attack<FGSM, Descent>{.epsilon = 0.01f, .sign_of_zero = 1}(linear, x, y));
    BOOST_TEST(down[2] == 0.75f - 0.01f);
    const Attack<Iterative, Ascent> twice{.epsilon = 0.01f, .steps = 2, .project = false, .sign_of_zero = 1};
    BOOST_TEST(pixels_of(twice(linear, x, y))[2] == 0.75f + 0.01f + 0.01f);
}

BOOST_AUTO_TEST_CASE(a_list_of_epsilons_takes_one_gradient) {
    const Values epsilons{0, 0.001f, 0.25f, 1};
    const Attack<FGSM, Ascent> attack{.epsilon = 0.5f};
    const Linear counted{linear.w};
    const auto all = attack(counted, x, y, epsilons);
    BOOST_TEST(counted.gradients == 1);
    BOOST_TEST(counted.passes == 1);
    BOOST_REQUIRE(all.size() == epsilons.size());
    for (std::size_t e = 0; e < epsilons.size(); ++e)
        BOOST_TEST(pixels_of(all[e]) == pixels_of(Attack<FGSM, Ascent>{.epsilon = epsilons[e]}(linear, x, y)), each);
}

BOOST_AUTO_TEST_CASE(predicted_labels_replace_those_given) {
    // w . x is negative at the first image, positive at the second: the model says 0 and 1.
    const Images here = images_of({0.1f, 0.9f, 0.5f, 0.5f, 0.9f, 0.1f, 0.5f, 0.5f});
    const std::vector<Label> said{Label{0}, Label{1}}, wrong{Label{1}, Label{0}};
    const auto by = [&](LabelSource source, const std::vector<Label>& labels) {
        return pixels_of(Attack<FGSM, Ascent>{.label = source}(linear, here, labels));
    };
    BOOST_TEST(by(LabelSource::Predicted, wrong) == by(LabelSource::True, said), each);
    BOOST_TEST((by(LabelSource::True, wrong) != by(LabelSource::True, said)));
    const auto steps = [&](LabelSource source, const std::vector<Label>& labels) {
        return pixels_of(Attack<Iterative, Ascent>{.steps = 3, .label = source}(linear, here, labels));
    };
    BOOST_TEST(steps(LabelSource::Predicted, wrong) == steps(LabelSource::True, said), each);
    // Equal logits: the lowest class.
    const Images level = images_of({0, 0, 0.5f, 0});
    BOOST_TEST(
        pixels_of(Attack<FGSM, Ascent>{.label = LabelSource::Predicted}(linear, level, std::vector<Label>{Label{1}})) ==
            pixels_of(Attack<FGSM, Ascent>{}(linear, level, std::vector<Label>{Label{0}})),
        each);
}

BOOST_AUTO_TEST_CASE(the_iterative_method_is_its_formula) {
    const Linear counted{linear.w};
    const Attack<Iterative, Ascent> attack{.epsilon = 0.03f, .steps = 7};
    const auto moved = pixels_of(attack(counted, x, y));
    BOOST_TEST(counted.gradients == 7);
    Values expected = pixels_of(x);
    const float alpha = 0.03f / 7;
    for (int t = 0; t < 7; ++t)
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const float w = linear.w[i % 4] * (i < 4 ? 1.0f : -1.0f), at = x.data()[i];
            float next = expected[i] + (w > 0 ? alpha : w < 0 ? -alpha : 0);
            next = std::clamp(next, at - 0.03f, at + 0.03f);
            expected[i] = std::clamp(next, 0.0f, 1.0f);
        }
    BOOST_TEST(moved == expected, each);
}

BOOST_AUTO_TEST_CASE(the_ball_and_the_range_hold_exactly) {
    const Images many = random_images<float>({1, 2, 2}, 500);
    const std::vector<Label> labels = labels_in_turn(500, 2);
    for (const float epsilon : {0.001f, 0.03f, 0.3f}) {
        const Attack<Iterative, Ascent> attack{.epsilon = epsilon, .steps = 5, .alpha = 0.7f * epsilon};
        const auto moved = pixels_of(attack(linear, many, labels));
        for (std::size_t i = 0; i < moved.size(); ++i) {
            const float low = many.data()[i] - epsilon, high = many.data()[i] + epsilon;
            BOOST_REQUIRE((moved[i] >= low && moved[i] <= high && moved[i] >= 0 && moved[i] <= 1));
            if (i % 4 != 2) BOOST_REQUIRE((moved[i] == std::max(low, 0.0f) || moved[i] == std::min(high, 1.0f)));
        }
        // Steps in sum shorter than the ball: it is never reached.
        const Attack<Iterative, Ascent> near{.epsilon = epsilon, .steps = 2, .alpha = 0.25f * epsilon, .clip = false};
        const auto halfway = pixels_of(near(linear, many, labels));
        for (std::size_t i = 0; i < moved.size(); ++i) {
            const float step = std::abs(halfway[i] - many.data()[i]);
            BOOST_REQUIRE(std::abs(step - (i % 4 == 2 ? 0 : 0.5f * epsilon)) < 1e-6f);
        }
    }
}

BOOST_AUTO_TEST_CASE(without_projection_every_step_is_a_full_epsilon) {
    const Attack<Iterative, Ascent> attack{.epsilon = 0.01f, .steps = 3, .project = false};
    const auto moved = pixels_of(attack(linear, x, y));
    BOOST_TEST(moved[0] == 0.5f + 0.01f + 0.01f + 0.01f);
    BOOST_TEST(moved[1] == 0.25f - 0.01f - 0.01f - 0.01f);
    BOOST_TEST(moved[2] == 0.75f);
    BOOST_TEST(moved[3] == 1);
    BOOST_TEST(moved[4] == 0);
    const Attack<Iterative, Ascent> one{.epsilon = 0.01f, .steps = 1},
        fast_steps{.epsilon = 0.01f, .steps = 1, .project = false};
    const auto fast = pixels_of(Attack<FGSM, Ascent>{.epsilon = 0.01f}(linear, x, y));
    BOOST_TEST(pixels_of(one(linear, x, y)) == fast, each);
    BOOST_TEST(pixels_of(fast_steps(linear, x, y)) == fast, each);
}

BOOST_AUTO_TEST_CASE(gradients_that_are_zero_or_no_number_make_no_bad_pixels) {
    const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
    const Images here = images_of({0.5f, 0.5f, 0.5f, 0.5f, 0.25f, 0.25f, 0.25f, 0.25f});
    const Stubborn odd{images_of({nan, inf, -inf, -nan, 0.0f, -0.0f, 1e-45f, -1e-45f})};
    const Values expected{0.5f, 0.5f + 0.1f, 0.5f - 0.1f, 0.5f, 0.25f, 0.25f, 0.25f + 0.1f, 0.25f - 0.1f};
    BOOST_TEST(pixels_of(Attack<FGSM, Ascent>{.epsilon = 0.1f}(odd, here, y)) == expected, each);
    BOOST_TEST(pixels_of(Attack<Iterative, Ascent>{.epsilon = 0.1f, .steps = 1}(odd, here, y)) == expected, each);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_refused) {
    const auto refuses = [](const auto& attack, const std::vector<Label>& labels,
                            std::initializer_list<std::string> words) {
        BOOST_CHECK_EXCEPTION(attack(linear, x, labels), ValueError, says(words));
    };
    refuses(Attack<FGSM, Ascent>{.epsilon = -0.1f}, y, {"fgsm", "epsilon", "-0.1"});
    refuses(Attack<FGSM, Ascent>{.epsilon = 1.5f}, y, {"fgsm", "epsilon", "1.5"});
    refuses(Attack<FGSM, Ascent>{.epsilon = NAN}, y, {"fgsm", "epsilon", "nan"});
    refuses(Attack<Iterative, Ascent>{.epsilon = 8}, y, {"iterative", "epsilon", "8"});
    refuses(Attack<Iterative, Ascent>{.steps = 0}, y, {"iterative", "steps", "0"});
    refuses(Attack<Iterative, Ascent>{.alpha = -1}, y, {"iterative", "alpha", "-1"});
    const std::vector<Label> three(3);
    refuses(Attack<FGSM, Ascent>{}, three, {"fgsm", "2 images", "3 labels"});
    refuses(Attack<FGSM, Ascent>{.label = LabelSource::Predicted}, three, {"2 images", "3 labels"});
    refuses(Attack<Iterative, Descent>{}, three, {"iterative", "2 images", "3 labels"});
    BOOST_CHECK_EXCEPTION((Attack<FGSM, Ascent>{}(Stubborn{images_of({1, 1, 1, 1})}, x, y)), ValueError,
                          says({"input_gradient", "4", "8"}));
}

// A model may have no prediction (numerics: an answer): then there is no predicted label to take a gradient at.
BOOST_AUTO_TEST_CASE(an_image_without_a_prediction_is_refused_by_its_number) {
    const auto refuses = [](const auto& attack, const auto& model, const Images& images, const std::string& number) {
        const std::vector<Label> labels(images.shape()[0]);
        BOOST_CHECK_EXCEPTION(attack(model, images, labels), NumericalError,
                              says({attack.name, "image " + number + " ", "predicts"}));
    };
    constexpr LabelSource predicted = LabelSource::Predicted;
    const Linear bright{{3e38f, 3e38f, 0, 0}};  // infinite where two pixels are 1
    const Images one_bright = images_of({0, 0, 0, 0, 1, 1, 0, 0});
    refuses(Attack<FGSM, Ascent>{.label = predicted}, bright, one_bright, "1");
    refuses(Attack<Iterative, Ascent>{.label = predicted}, bright, one_bright, "1");
    BOOST_CHECK_NO_THROW((Attack<FGSM, Ascent>{}(bright, one_bright, y)));  // at the label given

    // On a network, in the second chunk.
    struct Bright : Network<Image<1, 2, 2>, Dense<2>> {};
    Model<Bright, Cpu<f32>> model{Seed{3}, Cpu<f32>::Context(1)};
    model.set_parameters(Values{0, 0, 0, 0, 3e38f, 3e38f, 0, 0, 0, 0});
    Images dark = Images::from_shape({70, 1, 2, 2});
    std::fill(dark.begin(), dark.end(), 0.25f);
    dark.data()[66 * 4] = dark.data()[66 * 4 + 1] = 1;
    BOOST_CHECK_NO_THROW((Attack<FGSM, Ascent>{}(model, dark, std::vector<Label>(70))));
    refuses(Attack<FGSM, Ascent>{.label = predicted}, model, dark, "66");
    refuses(Attack<Iterative, Ascent>{.label = predicted}, model, dark, "66");
}

// A network on the CPU backend, which keeps the images in a form of its own.
struct Net : Network<Image<3, 6, 6>, Conv<5>, Relu, MaxPool<2>, Dense<4>> {};
using Kept = Model<Net, Cpu<f32>>;
static_assert(AttackOn<Attack<FGSM, Ascent>, Kept>);

struct Resting {
    Kept model{Seed{3}, Cpu<f32>::Context(1)};
    Images images = random_images<float>(Net::image, 70);  // more than one chunk
    std::vector<Label> labels = labels_in_turn(70, 4);
    Resting() { shake(model); }
    std::vector<double> losses(const Images& at) const {
        const auto z = model.logits(at);
        std::vector<double> all(labels.size());
        for (std::size_t n = 0; n < all.size(); ++n) all[n] = cross_entropy(&z(n, 0), 4, labels[n]);
        return all;
    }
    Images step_by_hand(const Images& from, const Images& g, float alpha, float radius) const {
        Images to = from;
        for (std::size_t i = 0; i < to.size(); ++i) {
            const float s = g.data()[i] > 0 ? alpha : g.data()[i] < 0 ? -alpha : 0;
            const float at = images.data()[i];
            to.data()[i] = std::clamp(std::clamp(from.data()[i] + s, at - radius, at + radius), 0.0f, 1.0f);
        }
        return to;
    }
};

BOOST_FIXTURE_TEST_CASE(on_a_network_the_definitions_are_the_same, Resting) {
    const float all = std::numeric_limits<float>::infinity();
    const auto before = model.parameters();
    const auto fast = Attack<FGSM, Ascent>{.epsilon = 0.05f}(model, images, labels);
    BOOST_TEST(same_bits(fast, step_by_hand(images, model.input_gradient(images, labels), 0.05f, all)));
    const auto down = Attack<FGSM, Descent>{.epsilon = 0.05f}(model, images, labels);
    BOOST_TEST(same_bits(down, step_by_hand(images, model.input_gradient(images, labels), -0.05f, all)));

    Images moved = images;
    for (int t = 0; t < 3; ++t) moved = step_by_hand(moved, model.input_gradient(moved, labels), 0.05f / 3, 0.05f);
    const Attack<Iterative, Ascent> iterative{.epsilon = 0.05f, .steps = 3};
    BOOST_TEST(same_bits(iterative(model, images, labels), moved));

    const Values epsilons{0.01f, 0.05f};
    BOOST_TEST(same_bits(Attack<FGSM, Ascent>{}(model, images, labels, epsilons)[1], fast));
    BOOST_TEST((model.parameters() == before));
}

BOOST_FIXTURE_TEST_CASE(views_that_share_workspaces_give_what_models_with_their_own_give, Resting) {
    using S = Kept::SpaceType;
    Kept other{Seed{4}, Cpu<f32>::Context(1)};
    const auto own = std::make_shared<Workspaces<Cpu<f32>>>();
    View<Kept> few(other, Net::image, 3, own), many(model, Net::image, 70, own);  // the first workspaces are too small
    attack::TaskMemory<S> memory(many.queue(), many.pixels(), 70, Seed{});
    const Task<S> task = memory.load(std::span<const float>(images.data(), images.size()), labels, {}, 0);
    const auto gradient = [&](View<Kept>& view) {
        attack::Scores<S, CrossEntropy> scores(view, {}, 70);
        std::vector<float> dx(images.size());
        view.differentiate(task.x, 70, {}, scores.visit(task), dx.data());
        Images all = images;
        skewgrad::images::unload<S, float>(view.queue(), view.pixels(), dx.data(), {all.data(), all.size()});
        return all;
    };
    for (int round = 0; round < 2; ++round) {
        BOOST_TEST(same_bits(skewgrad::images::logits(few, task.x, 70), other.logits(images)));
        BOOST_TEST(same_bits(skewgrad::images::logits(many, task.x, 70), model.logits(images)));
        BOOST_TEST(same_bits(gradient(few), other.input_gradient(images, labels)));
        BOOST_TEST(same_bits(gradient(many), model.input_gradient(images, labels)));
    }
}

BOOST_FIXTURE_TEST_CASE(ascent_raises_and_descent_lowers_every_images_loss, Resting) {
    const auto start = losses(images);
    const auto up = losses(Attack<FGSM, Ascent>{.epsilon = 0.002f}(model, images, labels));
    const auto down = losses(Attack<FGSM, Descent>{.epsilon = 0.002f}(model, images, labels));
    const auto further = losses(Attack<Iterative, Ascent>{.epsilon = 0.02f, .steps = 10}(model, images, labels));
    for (std::size_t n = 0; n < start.size(); ++n) {
        BOOST_TEST(up[n] > start[n]);
        BOOST_TEST(down[n] < start[n]);
        BOOST_TEST(further[n] > up[n]);
    }
}

BOOST_FIXTURE_TEST_CASE(a_networks_wrong_images_and_labels_are_refused, Resting) {
    const Attack<FGSM, Ascent> attack;
    labels[69] = Label{4};
    BOOST_CHECK_EXCEPTION(attack(model, images, labels), ValueError, says({"label 4", "position 69", "4 classes"}));
    const Images wide = random_images<float>({3, 6, 7}, 70);
    BOOST_CHECK_EXCEPTION(attack(model, wide, labels), ValueError, says({"3x6x6", "3x6x7"}));
}

}  // namespace
