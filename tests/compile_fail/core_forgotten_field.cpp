// A value whose `fields` leave one out: it would be missing from keys and checkpoints.
// expects: must name every field once, in their order
#include <skewgrad/core/values.hpp>

using namespace skewgrad;

struct Sound {
    static constexpr auto fields = names("epsilon", "steps");
    float epsilon = 0;
    int steps = 1;
};
inline void visited(const Sound& value) {
    for_each_value(value, [](const char*, const auto&) {});
}

#ifdef SKEWGRAD_MUST_FAIL
struct Forgetful {
    static constexpr auto fields = names("epsilon");
    float epsilon = 0;
    int steps = 1;
};
inline void visited(const Forgetful& value) {
    for_each_value(value, [](const char*, const auto&) {});
}
#endif
