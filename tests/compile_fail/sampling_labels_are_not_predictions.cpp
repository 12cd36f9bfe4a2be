// What a network says of images is no basis for sampling them.
// expects: no match for call|no matching function for call
#include <vector>

#include <skewgrad/sampling/balanced.hpp>

using namespace skewgrad;

inline auto allowed(const std::vector<Label>& labels) { return Sampler<Balanced>{}(labels, 10, Seed{7}); }

#ifdef SKEWGRAD_MUST_FAIL
inline auto refused(const std::vector<Prediction>& predicted) { return Sampler<Balanced>{}(predicted, 10, Seed{7}); }
#endif
