// A study composed at compile time: a learner, samplers, sources and attacks; planned, then run.
#pragma once
#include <cstddef>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/study/erased_study.hpp>
#include <skewgrad/study/sham.hpp>
#include <skewgrad/study/study_operations.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The three lists of a study: what networks are trained on, whose gradients attack them, and how.
template <class... Samplers>
struct On {};
template <class... Sources>
struct From {};
template <class... Attacks>
struct By {};

/// What stands in On<...>: a sampler, or as many samplers of one kind as are wanted at run time.
template <class S>
inline constexpr bool is_kind_of_network = IndexSampler<S>;
template <class S>
inline constexpr bool is_kind_of_network<std::vector<S>> = IndexSampler<S>;
template <class S>
concept KindOfNetwork = is_kind_of_network<S>;

/// `Study<Learner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel, DifferentModel>, By<Attack<FGSM, Ascent>>>`.
/// A sampler with a `skewed_class` is trained once a class (where it names one: for that class), another once a seed.
/// Each victim is attacked on its own skewed class (one without: on every class) from each source with each attack. The
/// first sampler must be the balanced one: it is what "a different model" is trained on.
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
    std::vector<float> sweep{};     ///< epsilons at which accuracy is taken along the same; empty: none
    /// Each network of a sampler that is trained once a class is attacked a second time with its logits adjusted to the
    /// classes' shares, where the model can do that (LogitAdjustable).
    bool adjust_logits = false;
    /// Samplers, counted on through vectors, between whose networks the first attack is carried over.
    std::vector<std::size_t> transfer{};
    std::vector<std::string> left_out{};  ///< optional parts not asked for, one sentence each: the plan lists them

    /// Throws ValueError, naming field and value, where learner or attacks have values that cannot be.
    void check_values() const {
        if constexpr (CheckingLearner<L>) learner.check_values();
        study::for_each_indexed(attacks, [](std::size_t, const auto& attack) { study::bare(attack).check(); });
    }
    void check_training_images([[maybe_unused]] const TrainingSet& data) const {
        if constexpr (CheckingLearner<L>) {
            learner.check_data(data.fit);
            if (!data.validation.empty()) learner.check_data(data.validation);
        }
    }
    /// `test`: those that are attacked and evaluated.
    void check_test_images(const TestData& test) const {
        if constexpr (CheckingLearner<L>) learner.check_data(test);
        for (const Label c : classes)
            study::for_each_indexed(
                attacks, [&](std::size_t, const auto& attack) { study::check_images_of(attack, test.of_class(c)); });
    }

    /// What it is without its types; to be used while the study lives.
    study::ErasedStudy erased_study() const {
        static constexpr Source from[] = {O::source...};
        static constexpr study::AttackToPlan by[] = {{study::uses_source<A>, study::is_self_check<A>}...};
        study::ErasedStudy all{
            .check_values = [this] { check_values(); },
            .check_training_images = [this](const TrainingSet& data) { check_training_images(data); },
            .check_test_images = [this](const TestData& test) { check_test_images(test); },
            .unidentified = {},
            .learner = learner.json(),
            .data_protocol = study::description(data_protocol),
            .runs_on = {},
            .kinds = {},
            .attacks = attack_descriptions(),
            .attacks_to_plan = by,
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
            study::add_kinds(all.kinds, sampler, data_protocol, classes);
        });
        return all;
    }
    /// Every training once, every cell once; trainings in the order in which cells first mention them.
    Plan plan() const { return erased_study().plan(); }

    std::vector<nlohmann::json> attack_descriptions() const { return study::descriptions(attacks); }

    /// Trains what the plan says and evaluates every cell. Throws what loaders, samplers and sessions throw.
    /// @param jobs networks to train at a time, where the learner can (ConcurrentLearner), 0: as many as are fastest
    /// on its backend; the same results for any
    StudyResults run(const Splits& data, const StudyObserver& observer = {}, int jobs = 1) const {
        return erase([&](const auto& whole, auto& work) { return whole.run(work, data, nullptr, observer, jobs); });
    }
    /// The same within a run's folder: what is there is taken as done, what is missing is run and kept. Throws
    /// FileError where the folder is another study's, damaged or full; what is in it stays as it was.
    StudyResults run(const Splits& data, RunFolder& folder, const StudyObserver& observer = {}, int jobs = 1) const {
        return erase([&](const auto& whole, auto& work) { return whole.run(work, data, &folder, observer, jobs); });
    }
    /// `visit(study, work)`, which may call `study.run(work, ...)` where nothing knows this study's types:
    /// in another unit, which then is not compiled again with every study. Both live until `visit` returns.
    template <class Visit>
    decltype(auto) erase(Visit visit) const {
        const study::ErasedStudy whole = erased_study();
        study::NetworksAtWork<L, A...> work(learner, attacks, whole.along);
        return visit(whole, static_cast<study::StudyOperations&>(work));
    }
};

}  // namespace SKEWGRAD_NAMESPACE
