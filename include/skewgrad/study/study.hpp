// A study composed at compile time: a learner, samplers, sources and attacks; planned, then run.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/study/carry_out.hpp>
#include <skewgrad/study/make_plan.hpp>
#include <skewgrad/study/sham.hpp>
#include <skewgrad/study/work.hpp>

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
template <Learner L, class Kinds, class Sources, class Attacks, class Arrangement = HoldOutFirst>
struct Study;

template <Learner L, KindOfNetwork... S, class... O, class... A, class Arrangement>
struct Study<L, On<S...>, From<O...>, By<A...>, Arrangement> {
    using ModelType = typename L::ModelType;

    L learner;
    std::tuple<S...> samplers;
    std::tuple<A...> attacks;
    Arrangement arrangement{};
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

    /// Every training once, every cell once; trainings in the order in which cells first mention them.
    Plan plan() const {
        study::ToPlan of{.learner = learner.json(),
                         .kinds = {},
                         .sources = {O::source...},
                         .attacks = {study::AttackToPlan{study::uses_source<A>, study::is_self_check<A>}...},
                         .classes = classes,
                         .seeds = seeds,
                         .adjust_logits = adjust_logits && LogitAdjustable<ModelType>,
                         .transfer = transfer,
                         .left_out = left_out};
        of.learner["arrangement"] = arrangement.json();
        if (adjust_logits && !LogitAdjustable<ModelType>)
            of.left_out.push_back("logit adjustment: this model's logits cannot be added to");
        for_each_sampler([&](std::size_t, const auto& sampler) {
            auto& kind = of.kinds.emplace_back();
            if constexpr (requires { sampler.skewed_class; }) {
                kind.skews = true;
                if (sampler.skewed_class != unset_class) kind.only = sampler.skewed_class;
            }
            if constexpr (requires { sampler.training_seed(Seed{}); })
                kind.training_seed = [](Seed seed) {
                    return std::remove_cvref_t<decltype(sampler)>::training_seed(seed);
                };
            for (const Label c : classes) kind.descriptions.push_back(study::description(with_class(sampler, c)));
        });
        return study::make_plan(of);
    }

    std::vector<nlohmann::json> attack_descriptions() const {
        std::vector<nlohmann::json> all;
        study::for_each_indexed(attacks, [&](std::size_t, const auto& a) { all.push_back(study::description(a)); });
        return all;
    }

    /// All that decides a part's results but its own key, the data and what it runs on.
    nlohmann::json configuration() const {
        nlohmann::json j = study::without_hardware({{"learner", learner.json()}});
        j["arrangement"] = arrangement.json();
        j["test_images_per_class"] = test_images_per_class;
        j["smallest_epsilons"] = smallest_epsilons;
        j["sweep"] = sweep;
        return j;
    }
    /// What the bits depend on beside that: backend, instruction set or device, compiler.
    nlohmann::json hardware() const {
        nlohmann::json j{{"compiler", __VERSION__}, {"backend", learner.json().value("backend", "none")}};
        if constexpr (RunsOnHardware<L>) j["runs_on"] = learner.runs_on();
        return j;
    }

    /// Trains what the plan says and evaluates every cell. Throws what loaders, samplers and sessions throw.
    StudyResults run(const Splits& data, const StudyObserver& observer = {}) const {
        return run(data, nullptr, observer);
    }
    /// The same within a run's folder: what is there is taken as done, what is missing is run and kept. Throws
    /// FileError where the folder is another study's, damaged or full; what is in it stays as it was.
    StudyResults run(const Splits& data, RunFolder& folder, const StudyObserver& observer = {}) const {
        return run(data, &folder, observer);
    }

private:
    StudyResults run(const Splits& data, RunFolder* folder, const StudyObserver& observer) const {
        StudyResults results;
        results.plan = plan();
        results.attacks = attack_descriptions();
        results.class_names = data.test.class_names();
        const TestData test = test_images(data.test);
        results.test_labels = test.labels();
        results.test_items = test.items();
        if (folder) {
            nlohmann::json whole = configuration();
            whole["data"] = {{"name", data.train.name()},
                             {"training", checkpoint::digest_of(data.train)},
                             {"test", checkpoint::digest_of(data.test)}};
            folder->begin(results, whole, hardware());
            results.record["hardware"] = folder->hardware();
            results.record["bits_of_one_machine"] = folder->hardware().size() == 1;
        }
        study::NetworksAtWork<L, A...> work(learner, attacks, {smallest_epsilons, sweep}, results.plan.trainings.size(),
                                            [&](const PlannedTraining& t) { return arrange(data, t); });
        study::CarryOut(work, results, test, folder, observer).run();
        return results;
    }

    /// visit(number, sampler), numbers counted on through vectors.
    template <class Visit>
    void for_each_sampler(Visit visit) const {
        std::size_t number = 0;
        study::for_each_indexed(samplers, [&](std::size_t, const auto& entry) {
            if constexpr (IndexSampler<std::remove_cvref_t<decltype(entry)>>)
                visit(number++, entry);
            else
                for (const auto& sampler : entry) visit(number++, sampler);
        });
    }
    template <class Sampler>
    static Sampler with_class(Sampler sampler, Label c) {
        if constexpr (requires { sampler.skewed_class; })
            if (sampler.skewed_class == unset_class) sampler.skewed_class = c;
        return sampler;
    }

    Arranged arrange(const Splits& data, const PlannedTraining& t) const {
        std::optional<Arranged> arranged;
        for_each_sampler([&](std::size_t k, const auto& sampler) {
            if (k == t.sampler) arranged = arrangement(data, with_class(sampler, t.skewed.value_or(Label{})), t.seed);
        });
        return *std::move(arranged);
    }

    TestData test_images(const TestData& all) const {
        if (test_images_per_class == 0) return all;
        std::vector<int> taken(static_cast<std::size_t>(all.classes()));
        std::vector<std::uint32_t> positions;
        for (std::size_t i = 0; i < all.size(); ++i)
            if (taken[static_cast<std::size_t>(index(all.label(i)))]++ < test_images_per_class)
                positions.push_back(static_cast<std::uint32_t>(i));
        return all.select(positions);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
