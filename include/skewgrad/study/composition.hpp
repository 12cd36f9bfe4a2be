// A study without its types: what planning and running it take, so that both are compiled once, whatever is studied.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/study/carry_out.hpp>
#include <skewgrad/study/keys.hpp>
#include <skewgrad/study/make_plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// One of a study's samplers behind plain functions.
struct Kind {
    KindToPlan to_plan;
    std::function<Arranged(const Splits& data, Label skewed, Seed seed)> arrange;
};

template <class Sampler>
Sampler with_class(Sampler sampler, Label c) {
    if constexpr (requires { sampler.skewed_class; })
        if (sampler.skewed_class == unset_class) sampler.skewed_class = c;
    return sampler;
}

/// Appends a sampler to a study's kinds, or each sampler of a vector.
template <IndexSampler Sampler, class Arrangement>
void add_kinds(std::vector<Kind>& kinds, const Sampler& sampler, const Arrangement& arrangement,
               std::span<const Label> classes) {
    KindToPlan& kind = kinds.emplace_back().to_plan;
    if constexpr (requires { sampler.skewed_class; }) {
        kind.skews = true;
        if (sampler.skewed_class != unset_class) kind.only = sampler.skewed_class;
    }
    if constexpr (requires { sampler.training_seed(Seed{}); }) kind.training_seed = Sampler::training_seed;
    for (const Label c : classes) kind.descriptions.push_back(description(with_class(sampler, c)));
    kinds.back().arrange = [sampler, arrangement](const Splits& data, Label skewed, Seed seed) -> Arranged {
        return arrangement(data, with_class(sampler, skewed), seed);
    };
}
template <class Sampler, class Arrangement>
void add_kinds(std::vector<Kind>& kinds, const std::vector<Sampler>& samplers, const Arrangement& arrangement,
               std::span<const Label> classes) {
    for (const Sampler& sampler : samplers) add_kinds(kinds, sampler, arrangement, classes);
}

/// The first images of each class, in their order; 0: all.
inline TestData test_images(const TestData& all, int per_class) {
    if (per_class == 0) return all;
    std::vector<int> taken(static_cast<std::size_t>(all.classes()));
    std::vector<std::uint32_t> positions;
    for (std::size_t i = 0; i < all.size(); ++i)
        if (taken[static_cast<std::size_t>(index(all.label(i)))]++ < per_class)
            positions.push_back(static_cast<std::uint32_t>(i));
    return all.select(positions);
}

/// Looks into the Study that made it, which must live on.
struct Composition {
    nlohmann::json learner, arrangement;
    std::optional<std::string> runs_on;  ///< what a learner's bits depend on beside its backend, where it says so
    std::vector<Kind> kinds;
    std::vector<nlohmann::json> attacks;  ///< descriptions
    std::span<const AttackToPlan> attacks_to_plan;
    std::span<const Source> sources;
    std::span<const Label> classes;
    std::span<const Seed> seeds;
    int test_images_per_class = 0;
    AlongDirection along;
    bool adjusts_logits = false, adjustable = false;  ///< whether it is asked for, and whether the model can do it
    std::span<const std::size_t> transfer;
    std::span<const std::string> left_out;

    Plan plan() const {
        const auto listed = [](const auto& span) { return std::vector(span.begin(), span.end()); };
        ToPlan of{.learner = learner,
                  .kinds = {},
                  .sources = listed(sources),
                  .attacks = listed(attacks_to_plan),
                  .classes = listed(classes),
                  .seeds = listed(seeds),
                  .adjust_logits = adjusts_logits && adjustable,
                  .transfer = listed(transfer),
                  .left_out = listed(left_out)};
        of.learner["arrangement"] = arrangement;
        for (const Kind& kind : kinds) of.kinds.push_back(kind.to_plan);
        if (adjusts_logits && !adjustable)
            of.left_out.push_back("logit adjustment: this model's logits cannot be added to");
        return make_plan(of);
    }
    /// All that decides a part's results but its own key, the data and what it runs on.
    nlohmann::json configuration() const {
        nlohmann::json j = without_hardware({{"learner", learner}});
        j["arrangement"] = arrangement;
        j["test_images_per_class"] = test_images_per_class;
        j["smallest_epsilons"] = along.smallest_epsilons;
        j["sweep"] = along.sweep;
        return j;
    }
    /// What the bits depend on beside that: backend, instruction set or device, compiler.
    nlohmann::json hardware() const {
        nlohmann::json j{{"compiler", __VERSION__}, {"backend", learner.value("backend", "none")}};
        if (runs_on) j["runs_on"] = *runs_on;
        return j;
    }

    /// What Study::run does, by the study's own networks at work. No folder: in memory.
    StudyResults run(Work& work, const Splits& data, RunFolder* folder, const StudyObserver& observer) const {
        StudyResults results;
        results.plan = plan();
        results.attacks = attacks;
        results.class_names = data.test.class_names();
        const TestData test = test_images(data.test, test_images_per_class);
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
        const auto arrange = [&](const PlannedTraining& t) {
            return kinds.at(t.sampler).arrange(data, t.skewed.value_or(Label{}), t.seed);
        };
        CarryOut(work, arrange, results, test, folder, observer).run();
        return results;
    }
};

}  // namespace SKEWGRAD_NAMESPACE::study
