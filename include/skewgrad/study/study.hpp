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

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/cells.hpp>
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
        if (seeds.empty() || classes.empty()) throw ValueError("a study needs at least one seed and one class");
        Plan plan;
        for (std::size_t s = 0; s < seeds.size(); ++s) {
            const Seed other = seeds.size() > 1 ? seeds[(s + 1) % seeds.size()] : Seed{seeds[s].value + 1};
            for_each_indexed(samplers, [&](std::size_t k, const auto& sampler) {
                for (const Label c : classes) {
                    const std::size_t victim = plan.training(planned(k, with_class(sampler, c), seeds[s]));
                    (add_cells(plan, victim, O::source, other, c), ...);
                }
            });
        }
        return plan;
    }

    std::vector<nlohmann::json> attack_descriptions() const {
        std::vector<nlohmann::json> all;
        std::apply([&](const auto&... a) { (all.push_back(study::description(a)), ...); }, attacks);
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
        evaluate_cells(results, models, test, observer);
        results.seconds = seconds();
        return results;
    }

private:
    template <class Tuple, class Visit>
    static void for_each_indexed(const Tuple& tuple, Visit visit) {
        std::size_t i = 0;
        std::apply([&](const auto&... each) { (visit(i++, each), ...); }, tuple);
    }

    template <class Sampler>
    static Sampler with_class(Sampler sampler, Label c) {
        if constexpr (requires { sampler.skewed_class; }) sampler.skewed_class = c;
        return sampler;
    }
    template <class Sampler>
    PlannedTraining planned(std::size_t k, const Sampler& sampler, Seed seed) const {
        PlannedTraining t{{learner_json(), study::description(sampler), seed}, k, {}, seed};
        if constexpr (requires { sampler.skewed_class; }) t.skewed = sampler.skewed_class;
        return t;
    }
    nlohmann::json learner_json() const {
        nlohmann::json j = learner.json();
        j["arrangement"] = arrangement.json();
        return j;
    }
    void add_cells(Plan& plan, std::size_t victim, Source from, Seed other, Label c) const {
        const std::size_t source =
            from == Source::same_model ? victim : plan.training(planned(0, std::get<0>(samplers), other));
        for_each_indexed(attacks, [&](std::size_t a, const auto& attack) {
            using Kind = std::remove_cvref_t<decltype(attack)>;
            if (from == Source::same_model || study::uses_source<Kind>)
                plan.cells.push_back({victim, source, from, a, c});
        });
    }

    Arranged arrange(const Splits& data, const PlannedTraining& t) const {
        std::optional<Arranged> arranged;
        for_each_indexed(samplers, [&](std::size_t k, const auto& sampler) {
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

    // Cells that share source and images share one gradient.
    void evaluate_cells(StudyResults& results, const std::vector<ModelType>& models, const TestData& test,
                        const StudyObserver& observer) const {
        const Plan& plan = results.plan;
        results.cells.resize(plan.cells.size());
        std::size_t done = 0;
        for (std::size_t source = 0; source < models.size(); ++source)
            for (const Label c : classes) {
                std::vector<std::size_t> mine;
                for (std::size_t i = 0; i < plan.cells.size(); ++i)
                    if (plan.cells[i].source == source && plan.cells[i].attacked_class == c) mine.push_back(i);
                if (mine.empty()) continue;
                study::SourceImages<ModelType> images(models[source], test.of_class(c));
                for_each_indexed(attacks, [&](std::size_t a, const auto& attack) {
                    std::optional<typename study::SourceImages<ModelType>::Images> adversarial;
                    for (const std::size_t i : mine) {
                        if (plan.cells[i].attack != a) continue;
                        if (!adversarial) adversarial = study::perturb(attack, images);
                        evaluate_cell(results, i, models[plan.cells[i].victim], attack, images, *adversarial);
                        if (observer.cells) observer.cells(++done, plan.cells.size());
                    }
                });
            }
    }
    template <class AnyAttack, class Images>
    void evaluate_cell(StudyResults& results, std::size_t cell, const ModelType& victim, const AnyAttack& attack,
                       study::SourceImages<ModelType>& source, const Images& adversarial) const {
        std::vector<ImageRecord>& records = results.cells[cell].images;
        records.resize(source.labels.size());
        source.describe(records);
        const auto attacked = outcomes_of(victim.logits(adversarial), source.labels);
        const TrainingResult& training = results.trainings[results.plan.cells[cell].victim];
        std::size_t n = 0;
        for (std::size_t i = 0; i < results.test_labels.size(); ++i) {
            if (results.test_labels[i] != results.plan.cells[cell].attacked_class) continue;
            records[n].clean = training.clean[i];
            records[n].attacked = attacked[n];
            ++n;
        }
        if constexpr (study::has_direction<AnyAttack>)
            if (smallest_epsilons) study::smallest_epsilons(attack, source, victim, records);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
