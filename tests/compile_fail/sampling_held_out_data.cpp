// Held-out data decide when training stops: they are balanced and the same for all networks of a seed, never sampled.
// expects: MarkedAsTrainingData
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/data/hold_out.hpp>
#include <skewgrad/sampling/balanced.hpp>

using namespace skewgrad;

inline TrainingData allowed(const TrainingData& data) {
    return Sampler<Balanced>{.count = 100}(hold_out(data, {.per_class = 500, .seed = Seed{7}}).fit, Seed{7});
}

#ifdef SKEWGRAD_MUST_FAIL
inline ValidationData refused(const TrainingData& data) {
    return Sampler<Balanced>{.count = 100}(hold_out(data, {.per_class = 500, .seed = Seed{7}}).validation, Seed{7});
}
#endif
