// A kernel larger than its padded input, deep in a network: the shape is the one inferred there.
// expects: CannotStandHere<.*Conv<4, 5.*Position<3>, .*kernel_is_larger_than_its_padded_input, .*<8, 4, 4> *>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Allowed : Network<Image<3, 8, 8>, Conv<8>, MaxPool<2>, Conv<4, 3, 1, Padding::valid>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 8, 8>, Conv<8>, MaxPool<2>, Conv<4, 5, 1, Padding::valid>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
