// Loss functions on logits, per image: the value, and the gradient for backpropagation in training and attacks.
#pragma once
#include <cmath>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Softmax cross-entropy on logits: L = logsumexp(z) - z_y, dL/dz = softmax(z) - onehot(y). The true class's component
/// is minus the sum of the other probabilities, since p_y - 1 would vanish in f32 from a margin of 17 on. Natural
/// logarithm. Exponentials and sums are computed in double in index order, whatever type the backend stores.
struct CrossEntropy {
    static constexpr const char* name = "cross_entropy";

    /// The loss of one row of `classes` logits.
    template <class S>
    SKEWGRAD_FN static double value(const S* z, int classes, Label y) {
        double most = z[0];
        for (int k = 1; k < classes; ++k) most = z[k] > most ? z[k] : most;
        double sum = 0;
        for (int k = 0; k < classes; ++k) sum += std::exp(z[k] - most);
        return std::log(sum) + (most - z[index(y)]);
    }
    /// Writes dL/dz to `dz`, times `scale` (1 for an attack, 1 / batch in training); returns the loss.
    template <class S>
    SKEWGRAD_FN static double gradient(const S* z, int classes, Label y, double scale, S* dz) {
        double most = z[0];
        for (int k = 1; k < classes; ++k) most = z[k] > most ? z[k] : most;
        double sum = 0, others = 0;
        for (int k = 0; k < classes; ++k) sum += std::exp(z[k] - most);
        for (int k = 0; k < classes; ++k) {
            if (k == index(y)) continue;
            const double p = std::exp(z[k] - most) / sum;
            others += p;
            dz[k] = static_cast<S>(p * scale);
        }
        dz[index(y)] = static_cast<S>(-others * scale);
        return std::log(sum) + (most - z[index(y)]);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
