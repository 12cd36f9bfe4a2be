// Batch normalisation in Cpu<bf16> on every instruction set against the reference with the same roundings.
// links: reference
#define BOOST_TEST_MODULE backend_bf16_batch_norm
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <string>
#include <utility>
#include <vector>

#include "backend/batch_norm.hpp"
#include "backend/bf16_networks.hpp"
#include "backend/emulated_tiles.hpp"
#include "backend/sets.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

using batch_norms::Branches, batch_norms::Joined, batch_norms::OnePixel, batch_norms::OnImage;
using Networks = boost::mpl::list<OnImage, Joined, OnePixel, Branches>;

// Every set of this machine, and tiles in emulation.
std::vector<std::pair<std::string, Cpu<bf16>::Context>> contexts_here() {
    std::vector<std::pair<std::string, Cpu<bf16>::Context>> all;
    for (const auto set : sets_here()) all.emplace_back(cpu::name(set), Cpu<bf16>::Context(2, set));
    all.emplace_back("emulated tiles", Cpu<bf16>::Context(2, emulated_tile_table));
    return all;
}

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_with_running_statistics, N, Networks) {
    bf16_networks::passes_agree<N, Cpu<bf16>>(contexts_here(), false);
    bf16_networks::passes_agree<N, Cpu<bf16>>(contexts_here(), true);
}
BOOST_AUTO_TEST_CASE_TEMPLATE(a_training_step_agrees_with_the_batchs_statistics, N, Networks) {
    bf16_networks::a_training_step_agrees<N, Cpu<bf16>>(contexts_here());
}

}  // namespace
