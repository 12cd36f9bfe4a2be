// Winograd's method on every instruction set: whole networks against the plain sum, and how to ask for that.
// links: reference
#define BOOST_TEST_MODULE backend_cpu_winograd
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/backend/reference/reference.hpp>
#include <skewgrad/model/model.hpp>
#include <string>
#include <vector>

#include "backend/layers.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using cpu::Convolutions;

namespace {

std::vector<cpu::InstructionSet> sets_here() {
    std::vector<cpu::InstructionSet> all;
    for (const auto set : cpu::instruction_sets)
        if (set <= cpu::best_instruction_set()) all.push_back(set);
    return all;
}

// Both sides of the blocks of 16 channels, same and valid padding, a fused layer that is no rectifier, a branch whose
// gradients join, images that no tile divides and one that is narrower than a tile.
struct Odd : Network<Image<16, 11, 13>, Conv<20>, Relu, Conv<33, 3, 1, Padding::valid>, Sigmoid, Conv<17>, Relu,
                     Conv<16>, Dropout<25>, Dense<5>> {};
struct Branched
    : Network<Image<3, 12, 15>, Conv<20>, Relu, Residual<Conv<20>, Relu, Conv<20>>, MaxPool<3>, Conv<16>, Dense<4>> {};
struct Narrow : Network<Image<32, 24, 3>, Conv<16>, Sigmoid, Conv<48>, Dense<3>> {};
using Networks = boost::mpl::list<Odd, Branched, Narrow>;

BOOST_AUTO_TEST_CASE_TEMPLATE(whole_networks_agree_with_the_plain_sum, N, Networks) {
    const auto x = random_images<float>(N::image, 7);
    const auto y = labels_in_turn(7, N::classes);
    Model<N, Cpu<f32>> start{Seed{11}};
    shake(start);
    const Model<N, Reference<double>> slow(start);
    const auto logits = slow.logits(x);
    const auto dx = slow.input_gradient(x, y);
    const auto dw = slow.parameter_gradient(x, y);
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            const auto on = [&](int threads, Convolutions how) {
                Model<N, Cpu<f32>> model(Seed{}, Cpu<f32>::Context(threads, set, how));
                model.set_parameters(start.parameters());
                return model;
            };
            const auto fast = on(2, Convolutions::fastest), plain = on(2, Convolutions::direct);
            // numerics: f32 Winograd 1e-4 an operation, the plain sum 2e-7 sqrt(t) with t below 1,200 here.
            BOOST_TEST(relative_distance(fast.logits(x), logits) < 1e-4);
            BOOST_TEST(relative_distance(fast.input_gradient(x, y), dx) < 1e-4);
            BOOST_TEST(relative_distance(fast.parameter_gradient(x, y), dw) < 1e-4);
            BOOST_TEST(relative_distance(plain.logits(x), logits) < 7e-6);
            BOOST_TEST(relative_distance(plain.input_gradient(x, y), dx) < 7e-6);
            BOOST_TEST(relative_distance(plain.parameter_gradient(x, y), dw) < 7e-6);
            BOOST_TEST(!same_bits(fast.logits(x), plain.logits(x)));  // else one of them was not asked
            // The same bits for any number of threads: fewer, as many and more than there are rows of places.
            for (const int threads : {1, 4, 7}) BOOST_TEST_CONTEXT(threads << " threads") {
                    const auto other = on(threads, Convolutions::fastest);
                    BOOST_TEST(same_bits(other.logits(x), fast.logits(x)));
                    BOOST_TEST(same_bits(other.input_gradient(x, y), fast.input_gradient(x, y)));
                    BOOST_TEST(same_bits(other.parameter_gradient(x, y), fast.parameter_gradient(x, y)));
                }
        }
}

BOOST_AUTO_TEST_CASE(the_plain_sum_can_be_asked_for) {
    const char* before = std::getenv("SKEWGRAD_CONVOLUTIONS");
    const std::string kept = before ? before : "";
    ::setenv("SKEWGRAD_CONVOLUTIONS", "direct", 1);
    const Cpu<f32>::Context direct(1);
    BOOST_TEST((direct.convolutions() == Convolutions::direct));
    BOOST_TEST(direct.description().find("direct") != std::string::npos);
    ::setenv("SKEWGRAD_CONVOLUTIONS", "fft", 1);
    BOOST_CHECK_EXCEPTION(Cpu<f32>::Context(1), ValueError, [](const ValueError& e) {
        const std::string said = e.what();
        return said.find("SKEWGRAD_CONVOLUTIONS") != std::string::npos && said.find("fft") != std::string::npos;
    });
    ::unsetenv("SKEWGRAD_CONVOLUTIONS");
    BOOST_TEST((Cpu<f32>::Context(1).convolutions() == Convolutions::fastest));
    if (before) ::setenv("SKEWGRAD_CONVOLUTIONS", kept.c_str(), 1);
}

}  // namespace
