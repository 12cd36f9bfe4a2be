// The study of Possas and Zhou: two protocols as named types, each with every row of its table.
#pragma once
#include <cstddef>
#include <tuple>
#include <vector>

#include <skewgrad/study/paper_networks.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The numbers a protocol may be scaled by, for a quick look.
struct PaperScale {
    int per_class = 5000;  ///< training images a class
    int held_out = 500;    ///< of them
    int ratio = 5;         ///< the larger count over the smaller
    int looks = 200;       ///< at most
    int test_images = 0;   ///< a class; 0: all
    float learning_rate = 1e-4f;
};

/// The attacks that the paper's study is evaluated with: the fast method of Table 1, and what stands beside it.
using PaperAttacks =
    By<Attack<FGSM, Ascent>, Attack<FGSM, Descent>, Attack<Iterative, Ascent>, Attack<PermutedSign, Ascent>,
       Attack<RandomSign>, Attack<RandomSign>, Attack<RandomSign>, Attack<RandomSign>, Attack<RandomSign>>;

/// What the paper says; where it is silent, what its authors' code did, unless that treats networks unequally or lets
/// test images in: 500 images a class held out before the skew, counts 4,500 and 900, flips for all, looks shared.
struct AsWritten {
    static constexpr const char* name = "as written";
    using Network = AsWrittenNetwork;
    using Samplers = On<Sampler<Balanced>, Sampler<Under>, Sampler<Over>>;
    using Arrangement = HoldOutFirst;

    static RmsProp optimiser(const PaperScale& s) { return {.learning_rate = s.learning_rate, .decay = 1e-5f}; }
    static Recipe recipe(const PaperScale& s) { return {.batch = 32, .looks = s.looks, .patience = 10}; }
    static auto samplers(const PaperScale& s) {
        const int few = (s.per_class - s.held_out) / s.ratio;
        return std::tuple(Sampler<Balanced>{}, Sampler<Under>{.count = few}, Sampler<Over>{.count = few});
    }
    Arrangement arrangement(const PaperScale& s) const { return {.per_class = s.held_out}; }
    static constexpr float sign_of_zero = 0;
    static constexpr bool clip = true;
};

/// What the authors' code did: cuts in file order, the test set deciding when to stop for all but the over-sampled
/// networks, sign(0) = 1, no clipping. See AsAuthorsRan for the row that stays open.
struct AsRun {
    static constexpr const char* name = "as run";
    using Network = AsRunNetwork;
    using Samplers = On<Sampler<Balanced>, Sampler<UnderInFileOrder>, Sampler<OverInFileOrder>>;
    using Arrangement = AsAuthorsRan;
    AsRunUnder under = AsRunUnder::inferred;

    static RmsProp optimiser(const PaperScale& s) { return {.learning_rate = s.learning_rate, .decay = 1e-6f}; }
    static Recipe recipe(const PaperScale& s) { return {.batch = 32, .looks = s.looks, .patience = 20}; }
    static auto samplers(const PaperScale& s) {
        const int few = s.per_class / s.ratio;
        return std::tuple(Sampler<Balanced>{}, Sampler<UnderInFileOrder>{.count = few},
                          Sampler<OverInFileOrder>{.count = few});
    }
    Arrangement arrangement(const PaperScale&) const { return {.under = under}; }
    static constexpr float sign_of_zero = 1;
    static constexpr bool clip = false;
};

/// The whole study under a protocol, on a backend; `N` replaces the protocol's network where a quick one is wanted.
template <class Protocol, Backend B, ANetwork N = typename Protocol::Network>
using PaperStudy = Study<NetworkLearner<N, B, RmsProp>, typename Protocol::Samplers, From<SameModel, DifferentModel>,
                         PaperAttacks, typename Protocol::Arrangement>;

/// The study's values: 22 trainings (one balanced, ten under, ten over, one balanced for the different-model column)
/// and 60 cells an attack that has a source: the paper's 50 and Different / Balanced.
template <class Protocol, Backend B, ANetwork N = typename Protocol::Network>
PaperStudy<Protocol, B, N> paper_study(const Protocol& protocol, const PaperScale& scale, float epsilon, Seed seed,
                                       typename B::Context on = {}) {
    constexpr float zero = Protocol::sign_of_zero;
    constexpr bool clip = Protocol::clip;
    const auto noise = [&](std::uint32_t sample) {
        return Attack<RandomSign>{.epsilon = epsilon, .clip = clip, .seed = seed, .sample = sample};
    };
    PaperStudy<Protocol, B, N> study{
        .learner = {Protocol::optimiser(scale), Protocol::recipe(scale), on},
        .samplers = Protocol::samplers(scale),
        .attacks = {Attack<FGSM, Ascent>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
                    Attack<FGSM, Descent>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
                    Attack<Iterative, Ascent>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
                    Attack<PermutedSign, Ascent>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero, .seed = seed},
                    noise(0), noise(1), noise(2), noise(3), noise(4)},
        .arrangement = protocol.arrangement(scale),
        .classes = {},
        .seeds = {seed},
        .test_images_per_class = scale.test_images};
    for (int c = 0; c < N::classes; ++c) study.classes.push_back(Label(c));
    return study;
}

}  // namespace SKEWGRAD_NAMESPACE
