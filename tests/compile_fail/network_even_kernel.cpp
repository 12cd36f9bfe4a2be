// A convolution with an even kernel has no middle to pad around.
// expects: LayerCannotStandHere<.*Conv<8, 4.*Position<1>, .*kernel_must_be_odd, .*MeetsShape<3, 16, 16> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 16, 16>, Conv<8, 5>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 16, 16>, Conv<8, 4>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
