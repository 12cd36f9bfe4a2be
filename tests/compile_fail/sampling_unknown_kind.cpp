// A kind of sampler that there is not: the message lists those that there are.
// expects: Kind is none of Under, Over, Balanced
#include <skewgrad/sampling/samplers.hpp>

using namespace skewgrad;

struct Smote {};

inline Sampler<Balanced> allowed() { return {}; }

#ifdef SKEWGRAD_MUST_FAIL
inline Sampler<Smote> refused() { return {}; }
#endif
