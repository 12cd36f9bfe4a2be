// A convolution of 3 x 3 behind a dense layer: eight of its nine taps would never meet anything but padding.
// expects: LayerCannotStandHere<.*Conv<8.*Position<3>, .*one_pixel_needs_a_kernel_of_1, .*MeetsShape<32, 1, 1> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 16, 16>, Dense<32>, Relu, Conv<8, 1>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 16, 16>, Dense<32>, Relu, Conv<8>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
