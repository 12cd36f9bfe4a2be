// The study of Possas and Zhou: two protocols as named types, each with every row of its table.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include <skewgrad/study/paper_networks.hpp>
#include <skewgrad/study/study.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The sizes of a protocol that can be scaled down for a quick study.
struct PaperScale {
    int per_class = 5000;  ///< training images of each class
    int held_out = 500;    ///< validation images among them
    int ratio = 5;         ///< the larger count divided by the smaller
    int rounds = 200;      ///< at most
    int test_images = 0;   ///< of each class; 0: all
    float learning_rate = 1e-4f;
};

/// Settings of the study beside the protocol and the scale. The optional parts train additional networks.
struct PaperParts {
    float epsilon = 0.01f;  ///< of every attack, on pixels in [0, 1]
    Seed seed{1};
    int seeds = 1;                 ///< complete blocks of networks: seed, seed + 1, ...
    bool size_matched = false;     ///< balanced sets of the same size as the under- and the over-sampled ones
    bool dose = false;             ///< classes 3 and 9 (of CIFAR-10: cat and truck) under-sampled to further counts
    bool transfer = false;         ///< every kind's gradient applied to every kind
    std::vector<Label> classes{};  ///< to skew and to attack; none: all
};

/// The attacks of the paper's study: the fast method of Table 1, accompanying attacks (the iterative method at its
/// default and with 20 steps of a quarter epsilon, controls of the same size), and self-checks: a tenth of the step
/// must raise the loss, and 20 steps within 0.25 must leave no prediction correct.
using PaperAttacks = By<Attack<FGSM, Ascent>, Attack<FGSM, Descent>, Attack<Iterative, Ascent>,
                        Attack<PermutedSign, Ascent>, Attack<RandomSign>, Attack<RandomSign>, Attack<RandomSign>,
                        Attack<RandomSign>, Attack<RandomSign>, Called<Attack<Iterative, Ascent>>,
                        Called<AsSelfCheck<Attack<FGSM, Ascent>>>, Called<AsSelfCheck<Attack<Iterative, Ascent>>>>;

namespace study {

/// A protocol's three samplers and the controls of every run: the balanced set with the small count (the fourth cell of
/// the 2 x 2) and, on request, of other sizes; one sham skew; further doses of under-sampling.
template <class ThreeSamplers>
struct WithControls;
template <class B, class U, class O>
struct WithControls<On<B, U, O>> {
    using type = On<B, U, O, std::vector<Called<Sampler<Balanced>>>, Sampler<Sham>, std::vector<U>>;
};

}  // namespace study

/// The paper's protocol. Where the paper is silent, it follows the authors' code, unless that treats networks unequally
/// or leaks test images: 500 images of each class held out before the skew, counts 4,500 and 900, flips for all, equal
/// rounds.
struct AsWritten {
    static constexpr const char* name = "as written";
    using Network = AsWrittenNetwork;
    using Samplers = On<Sampler<Balanced>, Sampler<Under>, Sampler<Over>>;
    using DataProtocol = HoldOutBeforeSampling;

    /// Images of a class that is not under-sampled.
    static int whole(const PaperScale& s) { return s.per_class - s.held_out; }
    static RmsProp optimiser(const PaperScale& s) { return {.learning_rate = s.learning_rate, .decay = 1e-5f}; }
    static Recipe recipe(const PaperScale& s) { return {.batch = 32, .rounds = s.rounds, .patience = 10}; }
    static auto samplers(const PaperScale& s) {
        const int few = whole(s) / s.ratio;
        return std::tuple(Sampler<Balanced>{}, Sampler<Under>{.count = few}, Sampler<Over>{.count = few});
    }
    DataProtocol data_protocol(const PaperScale& s) const { return {.per_class = s.held_out}; }
    static constexpr float sign_of_zero = 0;
    static constexpr bool clip = true;
};

/// The protocol of the authors' code: under-sampling in file order, early stopping on the test set for all but the
/// over-sampled networks, sign(0) = 1, no clipping. See AsAuthorsRan for the row that is undecided.
struct AsRun {
    static constexpr const char* name = "as run";
    using Network = AsRunNetwork;
    using Samplers = On<Sampler<Balanced>, Sampler<UnderInFileOrder>, Sampler<OverInFileOrder>>;
    using DataProtocol = AsAuthorsRan;
    AsRunUnder under = AsRunUnder::inferred;

    static int whole(const PaperScale& s) { return s.per_class; }
    static RmsProp optimiser(const PaperScale& s) { return {.learning_rate = s.learning_rate, .decay = 1e-6f}; }
    static Recipe recipe(const PaperScale& s) { return {.batch = 32, .rounds = s.rounds, .patience = 20}; }
    static auto samplers(const PaperScale& s) {
        const int few = whole(s) / s.ratio;
        return std::tuple(Sampler<Balanced>{}, Sampler<UnderInFileOrder>{.count = few},
                          Sampler<OverInFileOrder>{.count = few});
    }
    DataProtocol data_protocol(const PaperScale&) const { return {.under = under}; }
    static constexpr float sign_of_zero = 1;
    static constexpr bool clip = false;
};

/// The whole study under a protocol, on a backend. `N` replaces the protocol's network by a quick one; `Measured` is
/// the backend that attacks and evaluates.
template <class Protocol, Backend B, ANetwork N = typename Protocol::Network, Backend Measured = B>
using PaperStudy =
    Study<NetworkLearner<N, B, RmsProp, Measured>, typename study::WithControls<typename Protocol::Samplers>::type,
          From<SameModel, DifferentModel, SharedSeed>, PaperAttacks, typename Protocol::DataProtocol>;

namespace study {

/// The balanced sets by count: the fourth cell first, then those of the size of the under- and the over-sampled set.
inline std::vector<Called<Sampler<Balanced>>> balanced_sets(int classes, int whole, int few, bool size_matched) {
    using claims::Kind;
    std::vector<Called<Sampler<Balanced>>> sets{{{Kind::scarce}, {.count = few}}};
    if (size_matched) {
        sets.push_back({{Kind::balanced_as_under}, {.count = ((classes - 1) * whole + few) / classes}});
        sets.push_back({{Kind::balanced_as_over}, {.count = (whole + (classes - 1) * few) / classes}});
    }
    return sets;
}

/// The classes under-sampled in the dose part, if the data have them.
inline std::vector<int> dosed_classes(int classes) {
    std::vector<int> all{3, 9};
    std::erase_if(all, [&](int c) { return c >= classes; });
    return all;
}
/// Counts between few and whole, in the proportions of 100, 300, 900, 2,000 to 4,500. Every study includes `few` and
/// the whole class.
template <class U>
std::vector<U> doses(int classes, int whole, int few) {
    std::vector<U> all;
    for (const int c : dosed_classes(classes))
        for (const int of_4500 : {100, 300, 900, 2000})
            if (const int count = whole * of_4500 / 4500; count > 0 && count != few)
                all.push_back({.skewed_class = Label(c), .count = count});
    return all;
}

/// Classes are given by number, because the names belong to the data, which are unknown here.
inline std::vector<std::string> parts_left_out(const PaperParts& parts, int classes) {
    std::vector<std::string> all;
    if (!parts.classes.empty()) all.push_back("the networks and cells of the other classes: without --classes");
    if (!parts.size_matched)
        all.push_back("balanced sets as large as the under- and over-sampled ones: --size-matched");
    std::string dosed;
    for (const int c : dosed_classes(classes))
        dosed += (dosed.empty() ? "class " : " and of class ") + std::to_string(c);
    if (!parts.dose && !dosed.empty()) all.push_back("further counts of " + dosed + ": --dose");
    if (!parts.transfer) all.push_back("transfer between all kinds of networks: --transfer");
    return all;
}

template <class Protocol>
auto paper_samplers(const PaperScale& scale, const PaperParts& parts, int classes) {
    const auto [balanced, under, over] = Protocol::samplers(scale);
    const int whole = Protocol::whole(scale), few = under.count;
    using Cut = std::remove_cvref_t<decltype(under)>;
    return std::tuple(balanced, under, over, balanced_sets(classes, whole, few, parts.size_matched), Sampler<Sham>{},
                      parts.dose ? doses<Cut>(classes, whole, few) : std::vector<Cut>{});
}

inline auto paper_attacks(const PaperParts& parts, bool clip, float zero) {
    using claims::Method;
    using Fast = Attack<FGSM, Ascent>;
    using Steps = Attack<Iterative, Ascent>;
    const float epsilon = parts.epsilon;
    const auto noise = [&](std::uint32_t sample) {
        return Attack<RandomSign>{.epsilon = epsilon, .clip = clip, .seed = parts.seed, .sample = sample};
    };
    const auto twenty_steps = [&](float within) {
        return Steps{.epsilon = within, .steps = 20, .alpha = within / 4, .clip = clip, .sign_of_zero = zero};
    };
    return std::tuple(
        Fast{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
        Attack<FGSM, Descent>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
        Steps{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero},
        Attack<PermutedSign>{.epsilon = epsilon, .clip = clip, .sign_of_zero = zero, .seed = parts.seed},  //
        noise(0), noise(1), noise(2), noise(3), noise(4),                                                  //
        Called<Steps>{{Method::iterative}, twenty_steps(epsilon)},
        Called<AsSelfCheck<Fast>>{{Method::fast_tenth},
                                  {{.epsilon = epsilon / 10, .clip = clip, .sign_of_zero = zero}}},
        Called<AsSelfCheck<Steps>>{{Method::iterative_far}, {twenty_steps(0.25f)}});
}

/// The requested classes in the order of labels, or all. Throws ValueError for a class not below `count` or given
/// twice.
inline std::vector<Label> classes_studied(std::vector<Label> asked, int count) {
    if (asked.empty())
        for (int c = 0; c < count; ++c) asked.push_back(Label(c));
    std::ranges::sort(asked, {}, [](Label c) { return index(c); });
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const int c = index(asked[i]);
        if (c < 0 || c >= count)
            throw ValueError("classes to study: there is no class " + std::to_string(c) + ", they are 0 to " +
                             std::to_string(count - 1));
        if (i > 0 && asked[i - 1] == asked[i])
            throw ValueError("classes to study: class " + std::to_string(c) + " stands twice");
    }
    return asked;
}
inline std::vector<Seed> seeds_from(Seed first, int count) {
    std::vector<Seed> all;
    for (int s = 0; s < count; ++s) all.push_back({first.value + static_cast<std::uint64_t>(s)});
    return all;
}
/// Epsilons of 0 to `most` steps of 1/255.
inline std::vector<float> byte_steps(int most) {
    std::vector<float> all;
    for (int k = 0; k <= most; ++k) all.push_back(static_cast<float>(k) / 255.0f);
    return all;
}

}  // namespace study

/// The study's values. A seed has the paper's trainings (one balanced, ten under, ten over), the next seed's balanced
/// network and two controls; the paper's 50 combinations of victim, class and source, ten more for Different /
/// Balanced, and the controls' combinations.
template <class Protocol, Backend B, ANetwork N = typename Protocol::Network, Backend Measured = B>
PaperStudy<Protocol, B, N, Measured> paper_study(const Protocol& protocol, const PaperScale& scale,
                                                 const PaperParts& parts, typename B::Context on = {},
                                                 [[maybe_unused]] typename Measured::Context measured_on = {}) {
    using claims::Kind;
    NetworkLearner<N, B, RmsProp, Measured> learner{Protocol::optimiser(scale), Protocol::recipe(scale), on};
    if constexpr (learner.carries_over) learner.measured_context = measured_on;
    return {.learner = learner,
            .samplers = study::paper_samplers<Protocol>(scale, parts, N::classes),
            .attacks = study::paper_attacks(parts, Protocol::clip, Protocol::sign_of_zero),
            .data_protocol = protocol.data_protocol(scale),
            .classes = study::classes_studied(parts.classes, N::classes),
            .seeds = study::seeds_from(parts.seed, parts.seeds),
            .test_images_per_class = scale.test_images,
            .sweep = study::byte_steps(16),
            .adjust_logits = true,
            .transfer = parts.transfer ? std::vector{Kind::balanced, Kind::under, Kind::over, Kind::scarce}
                                       : std::vector<Kind>{},
            .left_out = study::parts_left_out(parts, N::classes)};
}

}  // namespace SKEWGRAD_NAMESPACE
