// A residual branch must give back the shape that it was given.
// expects: LayerCannotStandHere<.*Add, .*Position<3>, .*branches_differ_in_shape, .*MeetsShape<5, 8, 8> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 8, 8>, Conv<4>, Residual<Conv<4>>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 8, 8>, Conv<4>, Residual<Conv<5>>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
