// Sampling changes class counts, so it is for training data: test data must keep the distribution it has.
// expects: MarkedAsTrainingData
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/sampling/under.hpp>

using namespace skewgrad;

inline TrainingData allowed(const TrainingData& data) {
    return Sampler<Under>{.skewed_class = Label{3}, .count = 900}(data, Seed{7});
}

#ifdef SKEWGRAD_MUST_FAIL
inline TestData refused(const TestData& data) {
    return Sampler<Under>{.skewed_class = Label{3}, .count = 900}(data, Seed{7});
}
#endif
