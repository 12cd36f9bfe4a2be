// The CUDA backend gives the same bits again and again and, outside training, for any batch an image stands in; images
// come and go as they are; a sign step is the host's. On a GPU where nvcc compiles this, else on the CPU.
#define BOOST_TEST_MODULE backend_cuda_bits
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <skewgrad/train/trainer.hpp>
#include <vector>

#include "backend/cuda_device.hpp"
#include "backend/layers.hpp"
#include "backend/passes.hpp"
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

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attack_does_not_depend_on_blocks, P, Precisions) {
    constexpr std::size_t count = 35;
    const auto model = subject<P>();
    const auto x = random_images<float>(Net::image, count);
    const auto y = labels_in_turn(count, Net::classes);
    ModelPasses<Model<Net, OnDevice<P>>> whole(model, x, y, count);
    whole.gradient(model);
    for (const int block : {1, 16, 34}) {
        ModelPasses<Model<Net, OnDevice<P>>> some(model, x, y, block);
        some.gradient(model);
        BOOST_TEST(same_bits(whole.logits(), some.logits()));
        BOOST_TEST(same_bits(whole.losses(), some.losses()));
        BOOST_TEST(same_bits(whole.dx(), some.dx()));
    }
    const auto alone = model.logits(x);
    BOOST_TEST(same_bits(std::vector<float>(alone.begin(), alone.end()), whole.logits()));
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

BOOST_AUTO_TEST_CASE(a_batch_beyond_the_steps_is_refused) {
    auto model = subject<f32>();
    Steps<Model<Net, OnDevice<f32>>, Sgd> step(model, noise_store<Net>(5), Sgd{}, 2);
    const std::vector<Pick> picks{{0, 0}, {1, 0}, {2, 0}};
    StepSums sums;
    BOOST_CHECK_THROW(step(Batch{.picks = picks}, sums), ValueError);
}

}  // namespace
