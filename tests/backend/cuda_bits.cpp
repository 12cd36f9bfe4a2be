// The CUDA backend gives the same bits again and again and, outside training, for any batch an image stands in; images
// come and go as they are; a sign step is the host's. On a GPU where nvcc compiles this, else on the CPU.
#define BOOST_TEST_MODULE backend_cuda_bits
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <skewgrad/backend/host/images.hpp>
#include <skewgrad/train/trainer.hpp>
#include <vector>

#include "backend/cuda_device.hpp"
#include "backend/layers.hpp"
#include "backend/steps.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 8, 8>, Conv<20>, Relu, Conv<17, 5, 2>, Relu, MaxPool<2>, Dropout<25>,
                     Residual<Conv<17>, Softplus>, Depthwise, Dense<33>, Relu, Dropout<50>, Dense<5>> {};
using Precisions = boost::mpl::list<f32, bf16>;

template <class P>
Model<Net, OnDevice<P>> subject() {
    Model<Net, OnDevice<P>> model(Seed{4}, device<P>());
    shake(model);
    return model;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attack_does_not_depend_on_chunks, P, Precisions) {
    constexpr std::size_t count = 35;
    const auto model = subject<P>();
    const auto x = random_images<float>(Net::image, count);
    const auto y = labels_in_turn(count, Net::classes);
    const auto images = model.load(x);
    std::vector<float> logits(count * 5), others(count * 5);
    std::vector<double> losses(count), other_losses(count);
    auto dx = model.copy(images), other_dx = model.copy(images);
    auto whole = model.workspace(Mode::attack, count);
    model.gradient(images, y, whole, dx, logits, losses);
    for (const int chunk : {1, 16, 34}) {
        auto own = Model<Net, OnDevice<P>>::Program::make_workspace(model.context(), Mode::attack, chunk);
        model.gradient(images, y, own, other_dx, others, other_losses);
        BOOST_TEST(same_bits(logits, others));
        BOOST_TEST(same_bits(losses, other_losses));
        BOOST_TEST(same_bits(model.unload(dx), model.unload(other_dx)));
    }
    const auto alone = model.logits(images);
    BOOST_TEST(same_bits(std::vector<float>(alone.begin(), alone.end()), logits));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(training_again_gives_the_same_bits, P, Precisions) {
    const auto store = noise_store<Net>(40);
    const auto trained = [&] {
        auto model = subject<P>();
        const Trainer trainer{Adam{}, Recipe{.batch = 16, .rounds = 2, .flips = true}};
        const History history = trainer.fit(model, TrainingData(store), ValidationData(store));
        return std::pair(model.parameters(), history.rounds.back().validation_loss);
    };
    const auto first = trained(), second = trained();
    BOOST_TEST(same_bits(first.first, second.first));
    BOOST_TEST(first.second == second.second);
    BOOST_TEST(std::isfinite(first.second));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(images_come_back_as_they_went, P, Precisions) {
    const auto model = subject<P>();
    const auto x = random_images<float>(Net::image, 7);
    const auto images = model.load(x);
    BOOST_TEST(same_bits(model.unload(images), x));
    const std::vector<std::uint32_t> which{6, 0, 6, 2};
    const auto some = model.unload(model.select(images, which));
    const auto size = static_cast<std::size_t>(Net::image.size());
    for (std::size_t i = 0; i < which.size(); ++i)
        for (std::size_t e = 0; e < size; ++e)
            BOOST_REQUIRE(some.data()[i * size + e] == x.data()[which[i] * size + e]);
    const auto store = noise_store<Net>(9);
    const TestData data(store, {8, 3, 3});
    BOOST_TEST(same_bits(model.unload(model.load(data)), data.images()));
}

BOOST_AUTO_TEST_CASE(a_sign_step_is_the_hosts) {
    const auto model = subject<f32>();
    const auto origin = random_images<float>(Net::image, 3, 1), start = random_images<float>(Net::image, 3, 2);
    auto gradient = random_images<float>(Net::image, 3, 5);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
        gradient.data()[i] -= 0.5f;
        if (i % 7 == 0) gradient.data()[i] = 0;
        if (i % 11 == 0) gradient.data()[i] = std::numeric_limits<float>::quiet_NaN();
    }
    for (const SignStep step : {SignStep{.alpha = 0.1f}, SignStep{.alpha = -0.3f, .radius = 0.05f},
                                SignStep{.alpha = 0.4f, .clip = false, .at_zero = 1}}) {
        auto expected = start;
        host::sign_step(expected.data(), origin.data(), gradient.data(), expected.size(), step);
        auto moved = model.load(start);
        model.sign_step(moved, model.load(origin), model.load(gradient), step);
        BOOST_TEST(same_bits(model.unload(moved), expected));
    }
}

struct OneLayer : Network<Image<3, 8, 8>, Dense<5>> {};

// The loss stays finite where another class's logit is minus infinity, but the image has no prediction.
BOOST_AUTO_TEST_CASE(a_row_that_is_not_finite_is_not_right) {
    const auto store =
        make_store("one", {3, 8, 8}, std::vector<std::uint8_t>(192), {Label{0}}, {"a", "b", "c", "d", "e"});
    for (const bool finite : {true, false}) {
        Model<OneLayer, OnDevice<f32>> model(Seed{4}, device<f32>());
        std::vector<float> values(OneLayer::state_size);
        values[values.size() - 5] = 1;  // the first class's bias
        values.back() = finite ? -1 : -std::numeric_limits<float>::infinity();
        model.set_parameters(values);
        const Trainer trainer{Sgd{.learning_rate = 0}, Recipe{.batch = 1, .rounds = 1, .updates_per_round = 1}};
        const History history = trainer.fit(model, TrainingData(store), ValidationData(store, {}));
        BOOST_TEST(history.rounds[0].train_accuracy == (finite ? 1 : 0));
    }
}

BOOST_AUTO_TEST_CASE(a_batch_beyond_the_workspace_is_refused) {
    auto model = subject<f32>();
    using Program = Model<Net, OnDevice<f32>>::Program;
    auto& on = model.context();
    auto own = Program::make_workspace(on, Mode::train, 2);
    auto training = Program::make_training(on, Sgd{});
    const auto bytes = Program::upload(on, noise_store<Net>(5));
    const std::vector<Pick> picks{{0, 0}, {1, 0}, {2, 0}};
    StepState state;
    BOOST_CHECK_THROW(Program::train_step<CrossEntropy>(on, model.backend_parameters(), bytes, Batch{.picks = picks},
                                                        own, training, state),
                      ValueError);
}

}  // namespace
