// Optimisers as formulas for one element, so that masters may lie in any order and an update may fuse with repacking.
#pragma once
#include <array>
#include <cmath>
#include <concepts>
#include <cstdint>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace optimiser {
/// One rate of an optimiser by name, for records.
struct Rate {
    const char* name;
    double value;
};
}  // namespace optimiser

/// An optimiser is an aggregate of rates with `slots` state values a parameter, their start `slot_start`,
/// its `rates()` by name, and `at(updates)`: the step for that update (counted from 0), a callable (w, g, slots) that
/// changes w and the slots, for numbers and, if it can be, for vectors of four (FloatLanes). Evaluated as written,
/// square root and division correctly rounded, nothing contracted.
template <class O>
concept Optimiser = requires(const O& o, float& w, float* slots) {
    { O::slots } -> std::convertible_to<int>;
    { O::slot_start } -> std::convertible_to<float>;
    { O::name } -> std::convertible_to<const char*>;
    { o.rates()[0] } -> std::convertible_to<optimiser::Rate>;
    o.template at<float>(std::uint64_t{})(w, 1.0f, slots);
};

// Only these few lines stand under the pragma: the update's arithmetic is promised bit for bit.
SKEWGRAD_EXACT_BEGIN
namespace optimiser {

/// Four f32 at once: every formula below is written for a number and holds for a vector of them.
using FloatLanes = float __attribute__((vector_size(16)));

// Correctly rounded, of a number or of a vector of them. The builtin, not std::sqrt: g++ would not inline the
// library's function into this region.
inline float square_root(float x) { return __builtin_sqrtf(x); }
inline double square_root(double x) { return __builtin_sqrt(x); }
#if defined(__SSE2__)
inline FloatLanes square_root(FloatLanes x) { return (FloatLanes)_mm_sqrt_ps((__m128)x); }
#else
inline FloatLanes square_root(FloatLanes x) {
    for (int i = 0; i < 4; ++i) x[i] = square_root(x[i]);
    return x;
}
#endif

template <class S>
struct RmsPropStep {
    S rate, rho, keep, epsilon;
    template <class V>
    SKEWGRAD_FN void operator()(V& w, V g, V* slots) const {
        SKEWGRAD_EXACT_BODY
        slots[0] = rho * slots[0] + keep * (g * g);
        w = w - rate * g / (square_root(slots[0]) + epsilon);
    }
};
template <class S>
struct InnerEpsilonRmsPropStep {
    S rate, rho, keep, epsilon;
    template <class V>
    SKEWGRAD_FN void operator()(V& w, V g, V* slots) const {
        SKEWGRAD_EXACT_BODY
        slots[0] = rho * slots[0] + keep * (g * g);
        w = w - rate * g / square_root(slots[0] + epsilon);
    }
};
template <class S>
struct SgdStep {
    S rate, momentum, weight_decay;
    bool nesterov, first;
    template <class V>
    SKEWGRAD_FN void operator()(V& w, V g, V* slots) const {
        SKEWGRAD_EXACT_BODY
        g = g + weight_decay * w;
        slots[0] = first ? g : momentum * slots[0] + g;
        const V direction = nesterov ? g + momentum * slots[0] : slots[0];
        w = w - rate * direction;
    }
};
template <class S>
struct AdamStep {
    S rate, beta1, keep1, beta2, keep2, correction1, correction2, epsilon;
    template <class V>
    SKEWGRAD_FN void operator()(V& w, V g, V* slots) const {
        SKEWGRAD_EXACT_BODY
        slots[0] = beta1 * slots[0] + keep1 * g;
        slots[1] = beta2 * slots[1] + keep2 * (g * g);
        w = w - rate * (slots[0] / correction1) / (square_root(slots[1] / correction2) + epsilon);
    }
};

}  // namespace optimiser
SKEWGRAD_EXACT_END

/// Keras 2.0's RMSprop, the paper's: a <- rho a + (1 - rho) g^2 from a = 0, lr_t = lr / (1 + decay t) with t the
/// updates so far, w <- w - lr_t g / (sqrt(a) + epsilon).
struct RmsProp {
    static constexpr const char* name = "rmsprop";
    static constexpr int slots = 1;
    static constexpr float slot_start = 0;
    float learning_rate = 1e-3f;
    float decay = 0;
    float rho = 0.9f;
    float epsilon = 1e-8f;
    std::array<optimiser::Rate, 4> rates() const {
        return {{{"learning_rate", learning_rate}, {"decay", decay}, {"rho", rho}, {"epsilon", epsilon}}};
    }
    template <class S>
    optimiser::RmsPropStep<S> at(std::uint64_t updates) const {
        const double rate = double{learning_rate} / (1.0 + double{decay} * static_cast<double>(updates));
        return {static_cast<S>(rate), S(rho), S(1) - S(rho), S(epsilon)};
    }
};

/// PyTorch's RMSprop: alpha 0.99, epsilon 1e-8 outside the root, no decay.
struct TorchRmsProp {
    static constexpr const char* name = "torch_rmsprop";
    static constexpr int slots = 1;
    static constexpr float slot_start = 0;
    float learning_rate = 1e-2f;
    float alpha = 0.99f;
    float epsilon = 1e-8f;
    std::array<optimiser::Rate, 3> rates() const {
        return {{{"learning_rate", learning_rate}, {"alpha", alpha}, {"epsilon", epsilon}}};
    }
    template <class S>
    optimiser::RmsPropStep<S> at(std::uint64_t) const {
        return {S(learning_rate), S(alpha), S(1) - S(alpha), S(epsilon)};
    }
};

/// TensorFlow 1's RMSProp: a starts at 1, epsilon 1e-10 inside the root; what it calls "decay" is rho.
struct TensorFlowRmsProp {
    static constexpr const char* name = "tensorflow_rmsprop";
    static constexpr int slots = 1;
    static constexpr float slot_start = 1;
    float learning_rate = 1e-3f;
    float rho = 0.9f;
    float epsilon = 1e-10f;
    std::array<optimiser::Rate, 3> rates() const {
        return {{{"learning_rate", learning_rate}, {"rho", rho}, {"epsilon", epsilon}}};
    }
    template <class S>
    optimiser::InnerEpsilonRmsPropStep<S> at(std::uint64_t) const {
        return {S(learning_rate), S(rho), S(1) - S(rho), S(epsilon)};
    }
};

/// Stochastic gradient descent as PyTorch defines momentum (the first step takes the gradient itself), Nesterov
/// (Sutskever et al. 2013) and weight decay (added to the gradient).
struct Sgd {
    static constexpr const char* name = "sgd";
    static constexpr int slots = 1;
    static constexpr float slot_start = 0;
    float learning_rate = 1e-2f;
    float momentum = 0;
    float weight_decay = 0;
    bool nesterov = false;
    std::array<optimiser::Rate, 4> rates() const {
        return {{{"learning_rate", learning_rate},
                 {"momentum", momentum},
                 {"weight_decay", weight_decay},
                 {"nesterov", nesterov ? 1.0 : 0.0}}};
    }
    template <class S>
    optimiser::SgdStep<S> at(std::uint64_t updates) const {
        return {S(learning_rate), S(momentum), S(weight_decay), nesterov, updates == 0};
    }
};

/// Adam (Kingma and Ba 2015, algorithm 1), bias-corrected, epsilon outside the root.
struct Adam {
    static constexpr const char* name = "adam";
    static constexpr int slots = 2;
    static constexpr float slot_start = 0;
    float learning_rate = 1e-3f;
    float beta1 = 0.9f, beta2 = 0.999f;
    float epsilon = 1e-8f;
    std::array<optimiser::Rate, 4> rates() const {
        return {{{"learning_rate", learning_rate}, {"beta1", beta1}, {"beta2", beta2}, {"epsilon", epsilon}}};
    }
    template <class S>
    optimiser::AdamStep<S> at(std::uint64_t updates) const {
        const double t = static_cast<double>(updates) + 1;
        return {S(learning_rate),
                S(beta1),
                S(1) - S(beta1),
                S(beta2),
                S(1) - S(beta2),
                static_cast<S>(1.0 - std::pow(double{beta1}, t)),
                static_cast<S>(1.0 - std::pow(double{beta2}, t)),
                S(epsilon)};
    }
};

}  // namespace SKEWGRAD_NAMESPACE
