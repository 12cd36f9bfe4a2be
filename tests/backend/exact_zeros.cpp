// Exact zeros: by Winograd's method no gradient comes to an element of the image that the plain sum leaves at 0.
#define BOOST_TEST_MODULE backend_exact_zeros
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>
#include <vector>

#include "backend/sets.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using cpu::Convolutions;

namespace {

// The README's network; extents that no tile divides, with and without padding; a branch whose gradients join; steps
// that leave whole columns out, and images of two tiles.
struct Readme : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};
struct Odd : Network<Image<3, 44, 36>, Conv<17>, Relu, MaxPool<4>, Conv<40, 3, 1, Padding::valid>, Relu, Conv<16>, Relu,
                     Dense<5>> {};
struct Branched : Network<Image<3, 30, 36>, Conv<16>, Relu, Residual<Conv<16>, Relu, Conv<16>>, MaxPool<6>, Conv<16>,
                          Relu, Dense<4>> {};
struct Stepping : Network<Image<16, 25, 23>, Conv<24>, Relu, Conv<16, 1, 5>, Relu, Dense<3>> {};
struct TwoTiles : Network<Image<3, 8, 4>, Conv<20>, Relu, Conv<16>, Relu, MaxPool<4>, Dense<3>> {};
using Networks = boost::mpl::list<Readme, Odd, Branched, Stepping, TwoTiles>;

/// `less` is taken from the first convolution's biases: so few of its outputs are positive that gradients have gaps.
template <class N>
Model<N, Cpu<f32>> on(int threads, cpu::InstructionSet set, Convolutions how, float less = 0.55f) {
    Model<N, Cpu<f32>> model(Seed{11}, Cpu<f32>::Context(threads, set, how));
    shake(model);
    auto values = model.parameters();
    for (std::size_t i = 0; i < N::parameters[1].size(); ++i) values[N::parameters[0].size() + i] -= less;
    model.set_parameters(values);
    return model;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(as_many_as_by_the_plain_sum, N, Networks) {
    constexpr std::size_t count = 9;
    const auto x = random_images<float>(N::image, count);
    const auto y = labels_in_turn(count, N::classes);
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            const auto fast = on<N>(2, set, Convolutions::fastest);
            const auto dx = fast.input_gradient(x, y);
            const auto plain = on<N>(2, set, Convolutions::direct).input_gradient(x, y);
            std::size_t zeros = 0, lost = 0, chance = 0;
            for (std::size_t i = 0; i < dx.size(); ++i) {
                const bool is = dx.data()[i] == 0, shall_be = plain.data()[i] == 0;
                zeros += shall_be, lost += shall_be && !is, chance += is && !shall_be;
            }
            BOOST_TEST_MESSAGE(zeros << " zeros of " << dx.size() << ", " << chance << " by chance");
            BOOST_TEST(lost == 0u);
            BOOST_TEST(chance <= dx.size() / 10'000);  // small sums that round to 0
            BOOST_TEST(zeros > dx.size() / 50);
            BOOST_TEST(zeros < dx.size() - dx.size() / 50);
            BOOST_TEST(!same_bits(dx, plain));  // else one of them was not asked
            // Small blocks of images, one thread's each; fewer images than threads, which then share channels.
            for (const int threads : {1, 5})
                BOOST_TEST(same_bits(on<N>(threads, set, Convolutions::fastest).input_gradient(x, y), dx));
            const auto first = random_images<float>(N::image, 1);
            const auto alone = fast.input_gradient(first, std::vector<Label>{y[0]});
            BOOST_TEST(std::equal(alone.begin(), alone.end(), dx.begin()));
        }
}

BOOST_AUTO_TEST_CASE(an_iterated_sign_is_the_plain_sums) {
    const auto x = random_images<float>(Readme::image, 20);
    const auto y = labels_in_turn(20, 10);
    const Attack<Iterative, Ascent> attack{.epsilon = 10.0f / 1024, .steps = 10};
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            const auto fast = attack(on<Readme>(2, set, Convolutions::fastest), x, y);
            const auto plain = attack(on<Readme>(2, set, Convolutions::direct), x, y);
            std::size_t differ = 0;
            for (std::size_t i = 0; i < x.size(); ++i) differ += fast.data()[i] != plain.data()[i];
            BOOST_TEST_MESSAGE(differ << " of " << x.size());
            // What roundings of either do to gradients near 0, and to the maxima that they decide.
            BOOST_TEST(static_cast<double>(differ) / static_cast<double>(x.size()) < 0.01);
        }
}

}  // namespace
