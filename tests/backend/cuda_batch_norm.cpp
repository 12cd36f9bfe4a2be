// Batch normalisation on the CUDA backend: passes and steps against the reference, statistics against plain loops, the
// same bits in any block. On a GPU where nvcc compiles this, else its kernels on the CPU.
// links: reference
#define BOOST_TEST_MODULE backend_cuda_batch_norm
#include <array>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "backend/batch_norm.hpp"
#include "backend/bf16_networks.hpp"
#include "backend/cuda_device.hpp"
#include "backend/passes.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using namespace skewgrad_tests::batch_norms;

namespace {

using Networks = boost::mpl::list<OnImage, Joined, OnePixel, Branches>;
using Precisions = boost::mpl::list<f32, bf16>;
template <class P>
std::array<std::pair<const char*, typename OnDevice<P>::Context>, 1> contexts() {
    return {std::pair{"device", device<P>()}};
}

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_with_the_reference, N, Networks) {
    passes_agree<N, OnDevice<f32>>(contexts<f32>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(training_steps_agree_with_the_reference, N, Networks) {
    steps_agree<N, OnDevice<f32>>(contexts<f32>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(bf16_agrees_with_the_reference_with_the_same_roundings, N, Networks) {
    bf16_networks::passes_agree<N, OnDevice<bf16>>(contexts<bf16>(), false);
    bf16_networks::a_training_step_agrees<N, OnDevice<bf16>>(contexts<bf16>());
}

// As on the host (backend/batch_norm.cpp).
template <class P>
constexpr Limits limits_of = std::is_same_v<P, bf16> ? Limits{3e-3, 2e-6} : Limits{1e-6, 2e-6};

BOOST_AUTO_TEST_CASE_TEMPLATE(running_statistics_follow_the_batches, P, Precisions) {
    statistics_follow_the_batches<OnDevice<P>>(device<P>(), limits_of<P>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_pass_leaves_the_way_of_the_statistics, P, Precisions) {
    statistics_stand_in_the_gradients<OnDevice<P>>(device<P>(), limits_of<P>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(one_value_has_no_variance, P, Precisions) {
    one_value_is_its_own_mean<OnDevice<P>>(device<P>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_loss_that_is_not_finite_leaves_statistics, P, Precisions) {
    a_refused_step_changes_nothing<OnDevice<P>>(device<P>());
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_users_layer_has_statistics, P, Precisions) {
    a_users_statistics_follow_the_batches<OnDevice<P>>(device<P>(), limits_of<P>);
    a_layer_may_have_statistics_alone<OnDevice<P>>(device<P>(), limits_of<P>);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_view_makes_room_for_a_batch, P, Precisions) {
    a_view_takes_the_batchs_statistics<OnDevice<P>>(device<P>());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(with_running_statistics_an_image_stands_alone, P, Precisions) {
    constexpr std::size_t count = 35;
    using M = Model<Joined, OnDevice<P>>;
    const M model = subject<Joined, OnDevice<P>>(device<P>());
    const auto x = random_images<float>(Joined::image, count);
    const auto y = labels_in_turn(count, Joined::classes);
    ModelPasses<M> whole(model, x, y, count);
    whole.gradient(model);
    for (const int block : {1, 3, 34}) {
        ModelPasses<M> some(model, x, y, block);
        some.gradient(model);
        BOOST_TEST(same_bits(whole.logits(), some.logits()));
        BOOST_TEST(same_bits(whole.dx(), some.dx()));
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(training_again_gives_the_same_bits, P, Precisions) {
    const auto store = noise_store<Joined>(many);
    std::vector<Pick> picks(many);
    for (std::uint32_t i = 0; i < many; ++i) picks[i] = {i, 0};
    const auto trained = [&] {
        auto model = subject<Joined, OnDevice<P>>(device<P>());
        StepSums sums;
        train(model, store, Batch{.picks = picks, .flips = true}, Adam{}, 4, sums);
        BOOST_TEST(sums.finite());
        return model.parameters();
    };
    const auto first = trained();
    BOOST_TEST(same_bits(trained(), first));
}

}  // namespace
