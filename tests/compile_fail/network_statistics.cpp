// Normalisation constants for three channels cannot normalise one.
// expects: CannotStandHere<.*Normalize<.*Position<1>, .*channel_count_differs_from_the_statistics, .*<1, 8, 8> *>
#include <array>
#include <skewgrad/nn/network.hpp>

using namespace skewgrad;

struct Statistics {
    static constexpr std::array<float, 3> mean{0.5f, 0.5f, 0.5f}, deviation{0.25f, 0.25f, 0.25f};
};
struct Allowed : Network<Image<3, 8, 8>, Normalize<Statistics>, Dense<10>> {};
static_assert(Allowed::classes == 10);

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<1, 8, 8>, Normalize<Statistics>, Dense<10>> {};
static_assert(Refused::classes == 10);
#endif
