// The CUDA backend in bf16 against the reference with the same roundings: on a GPU where nvcc compiles this, else its
// kernels on the CPU.
// links: reference
#define BOOST_TEST_MODULE backend_cuda_bf16_against_rounded
#include <array>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "backend/bf16_networks.hpp"
#include "backend/cuda_device.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using namespace skewgrad_tests::bf16_networks;

namespace {

using B = OnDevice<bf16>;
std::array<std::pair<const char*, B::Context>, 1> contexts() { return {std::pair{"device", device<bf16>()}}; }

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_on_a_fresh_network, N, Networks) { passes_agree<N, B>(contexts(), false); }
BOOST_AUTO_TEST_CASE_TEMPLATE(passes_agree_on_a_trained_network, N, Networks) { passes_agree<N, B>(contexts(), true); }
BOOST_AUTO_TEST_CASE_TEMPLATE(a_training_step_agrees_masks_and_flips_included, N, Networks) {
    a_training_step_agrees<N, B>(contexts());
}

}  // namespace
