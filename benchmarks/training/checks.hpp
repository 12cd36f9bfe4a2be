// What must hold of a network on a backend before it is timed: the reference's numbers, and a loss that falls.
#pragma once
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <skewgrad/reference.hpp>
#include <skewgrad/skewgrad.hpp>

namespace verify {

/// Relative errors that still tell a right kernel from a wrong one over a whole network; tests/backend is stricter.
/// Gradients are far less smooth than logits: rounding turns a few rectifiers and maxima over.
struct Tolerance {
    double logits, gradients;
};
template <class B>
inline constexpr Tolerance tolerance =
    std::is_same_v<typename B::Activation, float> ? Tolerance{.logits = 1e-3, .gradients = 0.02}
                                                  : Tolerance{.logits = 0.1, .gradients = 0.5};

template <class A, class B>
double relative_error(const A& values, const B& right) {
    double error = 0, size = 0;
    for (std::size_t i = 0; i < right.size(); ++i) {
        error += std::pow(double(values.data()[i]) - double(right.data()[i]), 2);
        size += std::pow(double(right.data()[i]), 2);
    }
    return std::sqrt(error / size);
}

/// Throws Error where logits, input gradient or parameter gradient of a few images are not Reference<double>'s.
template <class N, class B>
void against_reference(const skewgrad::TestData& data, typename B::Context on) {
    using namespace skewgrad;
    const Model<N, B> fast(Seed{7}, std::move(on));
    const Model<N, Reference<double>> slow(fast);
    const std::size_t count = 4;
    const auto x = data.images(0, count);
    const xt::xtensor<double, 4> exact = x;
    auto labels = data.labels();
    labels.resize(count);
    constexpr Tolerance allowed = tolerance<B>;
    const auto require = [](const char* what, double error, double allowed) {
        if (!(error < allowed))
            throw Error(B::name() + " on the " + N::name + " network: " + what + " differ from the reference's by " +
                        std::to_string(error) + " of their size; nothing was timed");
    };
    require("logits", relative_error(fast.logits(x), slow.logits(exact)), allowed.logits);
    require("input gradients", relative_error(fast.input_gradient(x, labels), slow.input_gradient(exact, labels)),
            allowed.gradients);
    require("parameter gradients",
            relative_error(fast.parameter_gradient(x, labels), slow.parameter_gradient(exact, labels)),
            allowed.gradients);
}

/// Throws Error where 12 updates on the same 32 images do not lower their loss.
template <class N, class B>
void loss_falls(const skewgrad::TrainingData& data, typename B::Context on) {
    using namespace skewgrad;
    std::vector<std::uint32_t> few(32);
    std::iota(few.begin(), few.end(), 0u);
    Model<N, B> model(Seed{7}, std::move(on));
    const Trainer trainer{RmsProp{.learning_rate = 1e-3f}, Recipe{.batch = 32, .rounds = 4, .updates_per_round = 3}};
    const History history = trainer.fit(model, data.of_items(few), ValidationData(data.store(), {}));
    const double first = history.rounds.front().train_loss, last = history.rounds.back().train_loss;
    if (!(last < first))
        throw Error(B::name() + " on the " + N::name + " network: 12 updates took the loss from " +
                    std::to_string(first) + " to " + std::to_string(last) + "; nothing was timed");
}

}  // namespace verify
