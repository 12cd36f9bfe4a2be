// A layer in no form that a backend can run is refused when a model is made of it, and told what the forms are.
// expects: neither element-wise .* nor in gather form
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>

using namespace skewgrad;

struct Twice {
    template <class S>
    static S value(S x) {
        return 2 * x;
    }
    template <class S>
    static S slope(S) {
        return 2;
    }
};
struct TwiceWithoutSlope {
    template <class S>
    static S value(S x) {
        return 2 * x;
    }
};
using Allowed = Model<Network<Image<1, 4, 4>, Twice, Dense<2>>, Cpu<f32>>;
static_assert(sizeof(Allowed) > 0);

#ifdef SKEWGRAD_MUST_FAIL
using Refused = Model<Network<Image<1, 4, 4>, TwiceWithoutSlope, Dense<2>>, Cpu<f32>>;
static_assert(sizeof(Refused) > 0);
#endif
