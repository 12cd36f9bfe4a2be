// A pooling window that leaves a remainder: the message names layer, position, reason and the shape that met it.
// expects: LayerCannotStandHere<.*MaxPool<2>, .*Position<3>, .*window_leaves_a_remainder, .*MeetsShape<8, 15, 14> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 16, 14>, Conv<8>, Relu, MaxPool<2>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 15, 14>, Conv<8>, Relu, MaxPool<2>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
