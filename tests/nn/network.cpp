// What the compiler knows of a network: shapes, parameters, roles, the tape of branches; and its description in words.
#define BOOST_TEST_MODULE nn_network
#include <boost/test/unit_test.hpp>
#include <set>
#include <skewgrad/nn/network.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "backend/layers.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct PaperNet : Network<Image<3, 32, 32>, Conv<32>, Relu, Conv<32>, Relu, MaxPool<2>, Dropout<25>, Conv<64>, Relu,
                          Conv<64>, Relu, Conv<64>, Relu, MaxPool<2>, Dropout<25>, Conv<128>, Relu, Conv<128>, Relu,
                          Conv<128>, Relu, MaxPool<2>, Dropout<25>, Dense<512>, Relu, Dropout<50>, Dense<10>> {};
static_assert(ANetwork<PaperNet>);
static_assert(PaperNet::parameter_count == 1'525'738);
static_assert(PaperNet::state_size == PaperNet::parameter_count);
static_assert(PaperNet::parameters.size() == 2 * 10);
static_assert(PaperNet::nodes.size() == 26);
static_assert(PaperNet::classes == 10 && PaperNet::output == Shape{10, 1, 1});

// Shapes layer by layer.
constexpr Shape after(int layer) { return PaperNet::nodes[static_cast<std::size_t>(layer)].out_shape; }
static_assert(after(0) == Shape{32, 32, 32} && after(4) == Shape{32, 16, 16} && after(12) == Shape{64, 8, 8});
static_assert(after(20) == Shape{128, 4, 4} && after(22) == Shape{512, 1, 1} && after(25) == Shape{10, 1, 1});

template <class Layer>
constexpr Shape shape_after(Shape in) {
    return infer_shape<Layer>(in);
}
static_assert(shape_after<Conv<7, 5>>({3, 9, 8}) == Shape{7, 9, 8});
static_assert(shape_after<Conv<7, 3, 2>>({3, 9, 8}) == Shape{7, 5, 4});
static_assert(shape_after<Conv<7, 3, 3>>({3, 9, 8}) == Shape{7, 3, 3});
static_assert(shape_after<Conv<7, 3, 2, Padding::valid>>({3, 9, 8}) == Shape{7, 4, 3});
static_assert(shape_after<Conv<7, 5, 1, Padding::valid>>({3, 5, 8}) == Shape{7, 1, 4});
static_assert(shape_after<MaxPool<3>>({4, 9, 6}) == Shape{4, 3, 2});
static_assert(shape_after<Dense<5>>({4, 9, 6}) == Shape{5, 1, 1});
static_assert(shape_after<Relu>({4, 9, 6}) == Shape{4, 9, 6});
static_assert(parameter_size<Conv<7, 5>>({3, 9, 8}) == 7 * 3 * 25 + 7);
static_assert(parameter_size<Dense<5>>({4, 9, 6}) == 5 * 216 + 5);

static_assert(check_shape<Conv<7, 2>>({3, 9, 9}) == Fault::kernel_must_be_odd);
static_assert(check_shape<Conv<0>>({3, 9, 9}) == Fault::extents_must_be_positive);
static_assert(check_shape<Conv<4, 5, 1, Padding::valid>>({3, 4, 9}) == Fault::kernel_is_larger_than_its_padded_input);
static_assert(check_shape<Conv<4>>({32, 1, 1}) == Fault::one_pixel_needs_a_kernel_of_1);
static_assert(check_shape<Conv<4, 5, 2>>({32, 1, 1}) == Fault::one_pixel_needs_a_kernel_of_1);
static_assert(check_shape<Conv<4, 3, 1, Padding::valid>>({32, 1, 1}) == Fault::kernel_is_larger_than_its_padded_input);
static_assert(check_shape<Conv<4, 1>>({32, 1, 1}) == Fault::none && check_shape<Conv<4>>({1, 1, 128}) == Fault::none);
static_assert(check_shape<MaxPool<2>>({32, 1, 1}) == Fault::window_leaves_a_remainder);
static_assert(check_shape<MaxPool<2>>({3, 8, 9}) == Fault::window_leaves_a_remainder);
static_assert(check_shape<AveragePool<3>>({3, 8, 9}) == Fault::window_leaves_a_remainder);
static_assert(check_shape<Dropout<100>>({3, 8, 9}) == Fault::percentage_must_be_0_to_99);
static_assert(check_shape<Normalize<Statistics>>({4, 8, 9}) == Fault::channel_count_differs_from_the_statistics);
static_assert(check_shape<Relu>({3, 8, 9}) == Fault::none);

// A decision is 16 bits below round(65536 p).
static_assert(Dropout<25>::threshold == 16384 && Dropout<50>::threshold == 32768 && Dropout<1>::threshold == 655);
static_assert(Dropout<99>::threshold == 64881 && Dropout<0>::threshold == 0 && Dropout<0>::scale == 1);
static_assert(Dropout<75>::scale == 4);

// Statistics are state, no parameters of the optimiser.
struct WithStatistics : Network<Image<3, 8, 8>, Conv<4>, BatchNorm, Relu, Depthwise, Dense<2>> {};
static_assert(WithStatistics::state_size == 4 * 27 + 4 + 4 * 4 + 4 * 9 + 4 + 2 * 256 + 2);
static_assert(WithStatistics::parameter_count == WithStatistics::state_size - 2 * 4 - 4);
static_assert(WithStatistics::parameters[2].role == Role::trainable && WithStatistics::parameters[3].size() == 4);
static_assert(WithStatistics::parameters[4].role == Role::statistic);
static_assert(WithStatistics::parameters[4].initial == Initial::zeros);
static_assert(WithStatistics::parameters[5].role == Role::statistic);
static_assert(WithStatistics::parameters[5].initial == Initial::ones);
static_assert(WithStatistics::nodes[1].parameter_offset == 112 && WithStatistics::nodes[1].parameter_size == 16);
static_assert(WithStatistics::nodes[1].first_parameter == 2 && WithStatistics::nodes[3].first_parameter == 6);

// Branches: a join reads the branch's end and the value that the branch began with.
struct Branches : Network<Image<4, 6, 6>, Residual<Conv<4>, Residual<Relu, Conv<4>>>, Residual<>, Dense<2>> {};
using Expected = Tape<Node<Conv<4>, 1, 0>, Node<Relu, 2, 1>, Node<Conv<4>, 3, 2>, Node<Add, 4, 3, 1>,
                      Node<Add, 5, 4, 0>, Node<Add, 6, 5, 5>, Node<Dense<2>, 7, 6>>;
static_assert(std::is_same_v<Branches::tape, Expected>);
static_assert(Branches::nodes[3].second == 1 && Branches::nodes[4].second == 0 && Branches::nodes[2].second == -1);
static_assert(Branches::nodes[4].in == 4 && Branches::nodes[4].out == 5);

// The tape is a function of the entries: a network's own name is no part of it, so kernels are shared.
struct Twin : Network<Image<4, 6, 6>, Residual<Conv<4>, Residual<Relu, Conv<4>>>, Residual<>, Dense<2>> {};
static_assert(std::is_same_v<Branches::tape, Twin::tape>);

BOOST_AUTO_TEST_CASE(parameters_have_names_extents_and_fans) {
    const Parameter& weight = PaperNet::parameters[2];
    BOOST_TEST(std::string_view(weight.name) == "weight");
    BOOST_TEST((weight.extents == std::array{32, 32, 3, 3}));
    BOOST_TEST((weight.initial == Initial::glorot_uniform));
    BOOST_TEST(weight.fan_in == 32 * 9);
    BOOST_TEST(weight.fan_out == 32 * 9);
    const Parameter& dense = PaperNet::parameters[16];
    BOOST_TEST((dense.extents == std::array{512, 2048, 1, 1}));
    BOOST_TEST(dense.fan_in == 2048);
    BOOST_TEST(dense.fan_out == 512);
    BOOST_TEST((PaperNet::parameters[17].initial == Initial::zeros));
    std::size_t at = 0;
    for (const NodePlan& node : PaperNet::nodes) {
        BOOST_TEST(node.parameter_offset == at);
        at += node.parameter_size;
    }
    BOOST_TEST(at == PaperNet::state_size);
}

BOOST_AUTO_TEST_CASE(a_description_is_one_line) {
    struct Small : Network<Image<3, 8, 6>, Conv<4, 5, 2>, Relu, Residual<Conv<4>>, MaxPool<1>, Dense<2>> {};
    BOOST_TEST(describe<Small>() ==
               "3x8x6 > conv<4,5,2,2,0> 4x4x3 > relu 4x4x3 > conv<4,3,1,1,0> 4x4x3 > add 4x4x3 +2 > "
               "max_pool<1> 4x4x3 > dense<2,0> 2x1x1");
    BOOST_TEST(describe<Branches>() == describe<Twin>());
}

struct OtherStatistics {
    static constexpr std::array<float, 3> mean{0.5f, 0.4f, 0.3f}, deviation{0.25f, 0.5f, 0.7500001f};
};
template <class... Networks>
void all_differ() {
    const std::set<std::string> texts{describe<Networks>()...};
    BOOST_TEST(texts.size() == sizeof...(Networks));
}

BOOST_AUTO_TEST_CASE(different_networks_have_different_descriptions) {
    using In = Image<3, 8, 8>;
    all_differ<Network<In, Conv<4>, Dense<2>>, Network<Image<3, 8, 9>, Conv<4>, Dense<2>>,
               Network<In, Conv<5>, Dense<2>>, Network<In, Conv<4, 5>, Dense<2>>, Network<In, Conv<4, 3, 2>, Dense<2>>,
               Network<In, Conv<4, 3, 1, Padding::valid>, Dense<2>>,
               Network<In, Conv<4, 3, 1, Padding::same, Initial::he_normal>, Dense<2>>,
               Network<In, Conv<4>, Dense<2, Initial::he_normal>>, Network<In, Conv<4>, Dense<3>>,
               Network<In, Conv<4>, Relu, Dense<2>>, Network<In, Conv<4>, Dropout<25>, Dense<2>>,
               Network<In, Conv<4>, Dropout<50>, Dense<2>>, Network<In, Conv<4>, MaxPool<2>, Dense<2>>,
               Network<In, Conv<4>, AveragePool<2>, Dense<2>>, Network<In, Normalize<Statistics>, Conv<4>, Dense<2>>,
               Network<In, Normalize<OtherStatistics>, Conv<4>, Dense<2>>, Network<In, Residual<Conv<3>>, Dense<2>>,
               Network<In, Conv<3>, Dense<2>>, Network<In, Conv<3>, Residual<>, Dense<2>>,
               Network<In, Conv<3>, Residual<Relu>, Dense<2>>, Network<In, Residual<Conv<3>, Relu>, Dense<2>>,
               Network<In, Conv<4>, Softplus, Dense<2>>, Network<In, Conv<4>, BatchNorm, Dense<2>>>();
}

}  // namespace
