// A study composed at compile time from a learner, samplers, sources and attacks; planned, then run.
#pragma once
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/study/called.hpp>
#include <skewgrad/study/runner.hpp>
#include <skewgrad/study/sham.hpp>
#include <skewgrad/study/study_operations.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The three lists of a study: the samplers of the training sets, the gradient sources, and the attacks.
template <class... Samplers>
struct On {};
template <class... Sources>
struct From {};
template <class... Attacks>
struct By {};

/// An element of On<...>: a sampler, one under a name (Called), or a vector of such of one type, chosen at run time.
template <class S>
inline constexpr bool is_kind_of_network = IndexSampler<S>;
template <class S>
inline constexpr bool is_kind_of_network<Called<S>> = IndexSampler<S>;
template <class S>
inline constexpr bool is_kind_of_network<std::vector<S>> = is_kind_of_network<S>;
template <class S>
concept KindOfNetwork = is_kind_of_network<S>;

/// `Study<Learner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel, DifferentModel>, By<Attack<FGSM, Ascent>>>`.
/// A sampler with a `skewed_class` is trained once for each class (or only for the class that it names), any other once
/// for each seed. Each victim is attacked on its own skewed class (on every class if it has none), from each source
/// with each attack. "A different model" is trained on the sampler whose networks are balanced for the claims, or on
/// the first if none is. Samplers and attacks have names for the claims by their types; `Called` gives others.
template <Learner L, class Kinds, class Sources, class Attacks, class DataProtocol = HoldOutBeforeSampling>
struct Study;

template <Learner L, KindOfNetwork... S, class... O, class... A, class DataProtocol>
struct Study<L, On<S...>, From<O...>, By<A...>, DataProtocol> {
    using ModelType = typename L::ModelType;

    L learner;
    std::tuple<S...> samplers;
    std::tuple<A...> attacks;
    DataProtocol data_protocol{};
    std::vector<Label> classes;  ///< to skew and to attack
    std::vector<Seed> seeds{Seed{1}};
    int test_images_per_class = 0;  ///< 0: all
    bool smallest_epsilons = true;  ///< measure them along Attack<FGSM, Ascent>
    std::vector<float> sweep{};     ///< epsilons at which accuracy along it is measured; empty: none
    /// Each network of a sampler that is trained once for each class is attacked a second time with its logits adjusted
    /// to the class frequencies, if the model supports that (LogitAdjustable).
    bool adjust_logits = false;
    std::vector<claims::Kind> transfer{};  ///< kinds between whose networks the first attack is transferred
    std::vector<std::string> left_out{};   ///< optional parts not requested, one sentence each: the plan lists them

    /// Throws ValueError, naming field and value, if the learner or an attack has invalid values.
    void check_values() const {
        if constexpr (CheckingLearner<L>) learner.check_values();
        study::for_each_indexed(attacks, [](std::size_t, const auto& attack) { study::plain(attack).check(); });
    }
    void check_training_images([[maybe_unused]] const TrainingSet& data) const {
        if constexpr (CheckingLearner<L>) {
            learner.check_data(data.fit);
            if (!data.validation.empty()) learner.check_data(data.validation);
        }
    }
    /// `test`: the images that are attacked and evaluated.
    void check_test_images(const TestData& test) const {
        if constexpr (CheckingLearner<L>) learner.check_data(test);
        for (const Label c : classes)
            study::for_each_indexed(attacks, [&](std::size_t, const auto& attack) {
                study::check_images_of(study::plain(attack), test.of_class(c));
            });
    }

    /// The type-erased study; valid during the lifetime of this study.
    study::ErasedStudy erased_study() const {
        static constexpr Source from[] = {O::source...};
        study::ErasedStudy all{
            .check_values = [this] { check_values(); },
            .check_training_images = [this](const TrainingSet& data) { check_training_images(data); },
            .check_test_images = [this](const TestData& test) { check_test_images(test); },
            .unidentified = {},
            .learner = learner.json(),
            .data_protocol = study::description(data_protocol),
            .runs_on = {},
            .samplers = {},
            .attacks = {},
            .sources = from,
            .classes = classes,
            .seeds = seeds,
            .test_images_per_class = test_images_per_class,
            .along = {smallest_epsilons, sweep},
            .adjusts_logits = adjust_logits,
            .adjustable = LogitAdjustable<ModelType>,
            .transfer = transfer,
            .left_out = left_out};
        if constexpr (IdentifiedLearner<L>) all.unidentified = learner.unidentified();
        if constexpr (RunsOnHardware<L>) all.runs_on = learner.runs_on();
        study::for_each_indexed(samplers, [&](std::size_t, const auto& sampler) {
            study::add_samplers(all.samplers, sampler, data_protocol, classes);
        });
        study::for_each_indexed(
            attacks, [&](std::size_t, const auto& attack) { all.attacks.push_back(study::attack_to_plan(attack)); });
        return all;
    }
    /// Every training once, every cell once; trainings in the order in which cells first mention them.
    Plan plan() const { return erased_study().plan(); }

    /// Trains the networks of the plan and evaluates every cell. Throws the exceptions of loaders, samplers and
    /// sessions.
    /// @param jobs number of concurrent trainings, if the learner supports it (ConcurrentLearner); 0: the fastest
    /// number on its backend. The results are the same for any number.
    StudyResults run(const Splits& data, const StudyObserver& observer = {}, int jobs = 1) const {
        return erase([&](const auto& whole, auto& work) { return whole.run(work, data, nullptr, observer, jobs); });
    }
    /// The same in a run's folder: existing parts count as done, missing ones are run and stored. Throws FileError if
    /// the folder belongs to another study, is damaged or full; its contents then stay unchanged.
    StudyResults run(const Splits& data, RunFolder& folder, const StudyObserver& observer = {}, int jobs = 1) const {
        return erase([&](const auto& whole, auto& work) { return whole.run(work, data, &folder, observer, jobs); });
    }
    /// Calls `visit(study, work)`, which may call `study.run(work, ...)` in a translation unit that does not know this
    /// study's types and is therefore not recompiled with every study. Both live until `visit` returns.
    template <class Visit>
    decltype(auto) erase(Visit visit) const {
        const study::ErasedStudy whole = erased_study();
        const auto plain = std::apply(
            [](const A&... attack) { return std::tuple<study::Plain<A>...>(study::plain(attack)...); }, attacks);
        study::NetworksAtWork<L, study::Plain<A>...> work(learner, plain, whole.along);
        return visit(whole, static_cast<study::StudyOperations&>(work));
    }
};

}  // namespace SKEWGRAD_NAMESPACE
