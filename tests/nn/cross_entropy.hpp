// The cross-entropy of one row of logits and its gradient at them, by the library's formula.
#pragma once
#include <skewgrad/nn/losses.hpp>

namespace skewgrad_tests {

struct CrossEntropyOfRow {
    template <class R>
    static double value(const R* z, int classes, skewgrad::Label y) {
        return gradient(z, classes, y, 1, static_cast<R*>(nullptr));
    }
    template <class R>
    static double gradient(const R* z, int classes, skewgrad::Label y, double scale, R* dz) {
        const int label = skewgrad::index(y);
        const auto formula = skewgrad::CrossEntropy{}.at({});
        return formula(skewgrad::LossCase<R>{z, nullptr, classes, label, label, nullptr}, scale, dz,
                       static_cast<R*>(nullptr));
    }
};

}  // namespace skewgrad_tests
