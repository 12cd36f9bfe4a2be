// Cpu<bf16> on every instruction set against the reference with the same roundings: whole networks on odd shapes.
// links: reference
#define BOOST_TEST_MODULE backend_bf16_against_rounded
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <string>
#include <utility>
#include <vector>

#include "backend/bf16_networks.hpp"
#include "backend/emulated_tiles.hpp"
#include "backend/passes.hpp"
#include "backend/sets.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using namespace skewgrad_tests::bf16_networks;

namespace {

// Every set of this machine, and tiles in emulation.
std::vector<std::pair<std::string, Cpu<bf16>::Context>> contexts_here() {
    std::vector<std::pair<std::string, Cpu<bf16>::Context>> all;
    for (const auto set : sets_here()) all.emplace_back(cpu::name(set), Cpu<bf16>::Context(2, set));
    all.emplace_back("emulated tiles", Cpu<bf16>::Context(2, emulated_tile_table));
    return all;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_on_a_fresh_network, N, Networks) {
    passes_agree<N, Cpu<bf16>>(contexts_here(), false);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_on_a_trained_network, N, Networks) {
    passes_agree<N, Cpu<bf16>>(contexts_here(), true);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_training_step_agrees_masks_and_flips_included, N, Networks) {
    a_training_step_agrees<N, Cpu<bf16>>(contexts_here());
}

// A workspace that has held infinities and NaNs, in padding channels too, gives what a fresh one gives.
BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_workspace_held_before_does_not_matter, N, Networks) {
    const Subject<N> s(false);
    for (const auto& [name, context] : contexts_here()) BOOST_TEST_CONTEXT(name) {
            using M = Model<N, Cpu<bf16>>;
            const M sound(s.rounded, context);
            M diverged(s.rounded, context);
            auto values = diverged.parameters();
            for (std::size_t i = 0; i < values.size(); ++i) values[i] *= i % 3 == 0 ? NAN : 1e30f;
            diverged.set_parameters(values);
            const auto expected = sound.input_gradient(s.x, s.y);
            const auto expected_weights = sound.parameter_gradient(s.x, s.y);
            ModelPasses<M> passes(sound, s.x, s.y, 32);
            passes.gradient(diverged);
            passes.weights(diverged);
            passes.gradient(sound);
            BOOST_TEST(same_bits(passes.dx(), expected));
            passes.gradient(diverged, true);
            BOOST_TEST(same_bits(passes.weights(sound), expected_weights));
        }
}

// Where images are cut into sections, threads take some of them each, or some units of one: more threads than sections
// too, and fewer images than fill them.
BOOST_AUTO_TEST_CASE(sections_of_images_give_the_same_bits_for_any_number_of_threads) {
    using cpu::RowLayer, cpu::RowPlan, cpu::Packing;
    BOOST_TEST((RowLayer{RowPlan{16, 16, 1, 3}, Packing{3, 32, 3}, 1, true}.splits()) == 8);
    BOOST_TEST((RowLayer{RowPlan{16, 16, 1, 3}, Packing{64, 64, 3}, 1, false}.splits()) == 4);
    BOOST_TEST((RowLayer{RowPlan{8, 8, 1, 3}, Packing{32, 64, 3}, 1, false}.splits()) == 1);
    const Subject<Plain> s(false);
    for (const std::size_t images : {s.y.size(), std::size_t{37}, std::size_t{3}}) {
        const auto x = random_images<float>(Plain::image, images);
        const auto y = labels_in_turn(images, Plain::classes);
        const auto on = [&](int threads) {
            return Model<Plain, Cpu<bf16>>(s.rounded, Cpu<bf16>::Context(threads, emulated_tile_table))
                .parameter_gradient(x, y);
        };
        const auto one = on(1);
        for (const int threads : {2, 3, 7, 19}) BOOST_TEST(same_bits(on(threads), one), images << " images");
    }
}

}  // namespace
