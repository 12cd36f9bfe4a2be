// Dropout of everything leaves nothing to scale up.
// expects: LayerCannotStandHere<.*Dropout<100>, .*Position<2>, .*percentage_must_be_0_to_99, .*MeetsShape<4, 8, 8> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 8, 8>, Conv<4>, Dropout<99>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 8, 8>, Conv<4>, Dropout<100>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
