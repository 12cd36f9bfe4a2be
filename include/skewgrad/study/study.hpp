// A study composed at compile time: a learner, samplers, sources and attacks; planned, then run.
#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/study/evaluate_cells.hpp>
#include <skewgrad/study/learner.hpp>
#include <skewgrad/study/plan.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The three lists of a study: what networks are trained on, whose gradients attack them, and how.
template <class... Samplers>
struct On {};
template <class... Sources>
struct From {};
template <class... Attacks>
struct By {};

/// Told what a study does; any part may be left empty.
struct StudyObserver {
    std::function<void(const Plan&)> planned;
    std::function<void(std::size_t training, const Arranged&)> training_begins;
    TrainingObserver training;
    std::function<void(std::size_t training, const TrainingResult&)> training_ends;
    std::function<void(std::size_t done, std::size_t of)> cells;
};

/// `Study<Learner, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel, DifferentModel>, By<Attack<FGSM, Ascent>>>`.
/// A sampler with a `skewed_class` is trained once a class, another once a seed. Each victim is attacked on its own
/// skewed class (one without: on every class) from each source with each attack. The first sampler must be the
/// balanced one: it is what "a different model" is trained on.
template <Learner L, class Samplers, class Sources, class Attacks, class Arrangement = HoldOutFirst>
struct Study;

template <Learner L, IndexSampler... S, class... O, class... A, class Arrangement>
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

    /// Every training once, every cell once; trainings in the order in which cells first mention them.
    Plan plan() const {
        study::ToPlan of{.learner = learner.json(),
                         .samplers = {},
                         .sources = {O::source...},
                         .attack_uses_source = {study::uses_source<A>...},
                         .classes = classes,
                         .seeds = seeds};
        of.learner["arrangement"] = arrangement.json();
        study::for_each_indexed(samplers, [&](std::size_t, const auto& sampler) {
            auto& to_plan = of.samplers.emplace_back();
            to_plan.skews = requires { sampler.skewed_class; };
            for (const Label c : classes) to_plan.descriptions.push_back(study::description(with_class(sampler, c)));
        });
        return study::make_plan(of);
    }

    std::vector<nlohmann::json> attack_descriptions() const {
        std::vector<nlohmann::json> all;
        study::for_each_indexed(attacks, [&](std::size_t, const auto& a) { all.push_back(study::description(a)); });
        return all;
    }

    /// Trains what the plan says and evaluates every cell. Throws what loaders, samplers and sessions throw.
    StudyResults run(const Splits& data, const StudyObserver& observer = {}) const {
        const auto start = std::chrono::steady_clock::now();
        const auto seconds = [&] {
            return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        };
        StudyResults results;
        results.plan = plan();
        results.attacks = attack_descriptions();
        results.class_names = data.test.class_names();
        if (observer.planned) observer.planned(results.plan);
        const TestData test = test_images(data.test);
        results.test_labels = test.labels();
        results.test_items = test.items();

        std::vector<ModelType> models;
        models.reserve(results.plan.trainings.size());
        for (std::size_t t = 0; t < results.plan.trainings.size(); ++t) {
            const double began = seconds();
            const Arranged arranged = arrange(data, results.plan.trainings[t]);
            if (observer.training_begins) observer.training_begins(t, arranged);
            auto learned = learner.train(arranged, results.plan.trainings[t].seed, observer.training);
            models.push_back(std::move(learned.model));
            results.trainings.push_back({std::move(learned.history), arranged.fit.counts(), arranged.fit.items(),
                                         arranged.held.size(), outcomes(models.back(), test), seconds() - began});
            if (observer.training_ends) observer.training_ends(t, results.trainings.back());
        }
        study::evaluate_cells(results, models, attacks, classes, test, smallest_epsilons, observer.cells);
        results.seconds = seconds();
        return results;
    }

private:
    template <class Sampler>
    static Sampler with_class(Sampler sampler, Label c) {
        if constexpr (requires { sampler.skewed_class; }) sampler.skewed_class = c;
        return sampler;
    }

    Arranged arrange(const Splits& data, const PlannedTraining& t) const {
        std::optional<Arranged> arranged;
        study::for_each_indexed(samplers, [&](std::size_t k, const auto& sampler) {
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
