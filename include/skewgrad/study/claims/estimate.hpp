// A statistic over all seeds and classes of the evidence: every seed's value, its interval, and what is missing.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/crossed_bootstrap.hpp>
#include <skewgrad/evaluate/holm.hpp>
#include <skewgrad/evaluate/sign_flip.hpp>
#include <skewgrad/evaluate/student_t.hpp>
#include <skewgrad/evaluate/wilcoxon.hpp>
#include <skewgrad/study/claims/claim.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// One class over the seeds.
struct ClassEffect {
    Label label{};
    MeanEstimate over_seeds{};
    double holm_p = 1;        ///< corrected over the claim's classes
    std::int64_t images = 0;  ///< matched, all seeds together
};

/// Seeds are the units: `by_seed` holds one value each, a combination of the same classes for every seed.
struct Estimate {
    std::vector<std::uint64_t> seeds;
    std::vector<double> by_seed;
    MeanEstimate over_seeds{};                ///< where there is a value
    std::optional<double> sign_flip_p;        ///< from 6 seeds on: below, it cannot reach .05
    std::optional<CrossedBootstrap> crossed;  ///< where it was asked for
    std::vector<ClassEffect> classes;
    std::optional<SignedRanks> spread;  ///< over the classes' means: describes, decides nothing
    std::int64_t images = 0;            ///< matched, all seeds and classes together
    std::vector<std::string> not_run;   ///< what the study lacks, by name
    std::vector<std::string> left_out;  ///< classes with fewer than 50 images, and seeds that are not complete, by name
    std::set<NetworkName> used;

    bool measured() const noexcept { return !by_seed.empty(); }
    /// Classes whose mean over seeds is above 0, and below.
    int above() const {
        return static_cast<int>(
            std::count_if(classes.begin(), classes.end(), [](const ClassEffect& c) { return c.over_seeds.mean > 0; }));
    }
    int below() const {
        return static_cast<int>(
            std::count_if(classes.begin(), classes.end(), [](const ClassEffect& c) { return c.over_seeds.mean < 0; }));
    }
};

namespace estimating {

inline Positions all_positions(const Evidence& evidence) {
    Positions all;
    for (const std::size_t count : evidence.images()) {
        all.emplace_back(count);
        std::iota(all.back().begin(), all.back().end(), 0U);
    }
    return all;
}

/// The second interval: one draw of images a class for all networks, crossed with a draw of seeds.
inline CrossedBootstrap crossed(const Evidence& evidence, const Statistic& statistic, const Combine& combine,
                                const Reading& reading, const Estimate& e, const CrossedOptions& options) {
    std::vector<std::size_t> sizes, place;
    for (std::size_t c = 0; c < evidence.images().size(); ++c)
        if (evidence.images()[c] > 0) sizes.push_back(evidence.images()[c]), place.push_back(c);
    Positions positions(evidence.images().size());
    return crossed_bootstrap(
        e.seeds.size(), sizes,
        [&](const CrossedDraw& draw) {
            for (std::size_t i = 0; i < place.size(); ++i) positions[place[i]] = draw.images[i];
            std::map<std::uint32_t, double> by_block;
            double sum = 0;
            for (const std::uint32_t block : draw.blocks) {
                const auto [found, is_new] = by_block.try_emplace(block, 0.0);
                if (is_new) {
                    std::vector<ClassValue> values;
                    for (const ClassEffect& c : e.classes) {
                        const auto v = statistic(Case(evidence, e.seeds[block], c.label, reading, positions)).value;
                        if (v) values.push_back({c.label, *v});
                    }
                    found->second =
                        values.empty() ? std::numeric_limits<double>::quiet_NaN() : combine(evidence, values);
                }
                sum += found->second;
            }
            return sum / static_cast<double>(draw.blocks.size());
        },
        options);
}

/// What the statistic answered, and what it lacked, by class and seed.
struct Asked {
    std::map<Label, std::map<std::uint64_t, CaseValue>> values;
    std::map<std::uint64_t, std::map<Label, std::string>> lacks;
};
inline Asked ask(const Evidence& evidence, const Statistic& statistic, const Concerns& concerns, const Reading& reading,
                 std::set<NetworkName>& used) {
    Asked asked;
    const Positions positions = all_positions(evidence);
    for (int k = 0; k < evidence.classes(); ++k) {
        const auto c = static_cast<Label>(k);
        if (!concerns(evidence, c)) continue;
        for (const std::uint64_t block : evidence.blocks) {
            try {
                const CaseValue value = statistic(Case(evidence, block, c, reading, positions, &used));
                asked.values[c][block] = value;
            } catch (const NotRun& lack) {
                asked.lacks[block][c] = lack.what();
            }
        }
    }
    return asked;
}

/// The seeds that have every class which any seed has; the others are left out, and what no seed has was not run.
inline void keep_complete_seeds(const Evidence& evidence, const Asked& asked, Estimate& e) {
    if (asked.values.empty() && asked.lacks.empty()) e.not_run.emplace_back("classes that it concerns");
    for (const std::uint64_t block : evidence.blocks) {
        const std::string* incomplete = nullptr;
        if (const auto lacks = asked.lacks.find(block); lacks != asked.lacks.end())
            for (const auto& [c, what] : lacks->second) {
                if (!asked.values.contains(c)) {
                    if (std::find(e.not_run.begin(), e.not_run.end(), what) == e.not_run.end())
                        e.not_run.push_back(what);
                } else if (incomplete == nullptr) {
                    incomplete = &what;
                }
            }
        if (incomplete != nullptr)
            e.left_out.push_back("seed " + std::to_string(block) + " (not run: " + *incomplete + ")");
        else if (!asked.values.empty())
            e.seeds.push_back(block);
    }
}

/// The classes that have enough images in every seed kept, each with its mean over them; the others leave by name.
inline void keep_usable_classes(const Evidence& evidence, const Asked& asked, Estimate& e) {
    std::vector<double> p, means;
    for (const auto& [c, by_seed] : asked.values) {
        ClassEffect effect{.label = c};
        std::vector<double> values;
        for (const std::uint64_t seed : e.seeds) {
            const CaseValue& v = by_seed.at(seed);
            if (!v.usable()) {
                e.left_out.push_back(evidence.class_name(c) + " (seed " + std::to_string(seed) + ": " +
                                     std::to_string(v.images) +
                                     (v.images < fewest_images ? " images)" : " images, undefined)"));
                break;
            }
            values.push_back(*v.value);
            effect.images += v.images;
        }
        if (values.empty() || values.size() < e.seeds.size()) continue;
        effect.over_seeds = mean_estimate(values);
        e.images += effect.images;
        e.classes.push_back(effect);
        p.push_back(effect.over_seeds.p);
        means.push_back(effect.over_seeds.mean);
    }
    const std::vector<double> corrected = holm_adjusted(p);
    for (std::size_t i = 0; i < p.size(); ++i) e.classes[i].holm_p = corrected[i];
    if (!means.empty()) e.spread = signed_ranks(means);
}

}  // namespace estimating

/// Asks the statistic of every seed and class that it concerns. A class that no seed has is `not_run`; a seed that
/// lacks a class which another has is left out, and so is, for all seeds, a class with too few images in one: all
/// seeds' values are combinations of the same classes. `bootstrap`: none where no second interval is wanted.
inline Estimate estimate(const Evidence& evidence, const Statistic& statistic, const Combine& combine,
                         const Concerns& concerns, const Reading& reading,
                         const std::optional<CrossedOptions>& bootstrap) {
    Estimate e;
    const estimating::Asked asked = estimating::ask(evidence, statistic, concerns, reading, e.used);
    estimating::keep_complete_seeds(evidence, asked, e);
    estimating::keep_usable_classes(evidence, asked, e);
    if (e.classes.empty()) return e;
    for (const std::uint64_t seed : e.seeds) {
        std::vector<ClassValue> values;
        for (const ClassEffect& c : e.classes) values.push_back({c.label, *asked.values.at(c.label).at(seed).value});
        e.by_seed.push_back(combine(evidence, values));
        if (std::isfinite(e.by_seed.back())) continue;
        e.by_seed.clear();
        e.left_out.emplace_back("all: too few classes to combine");
        return e;
    }
    e.over_seeds = mean_estimate(e.by_seed);
    if (e.seeds.size() >= 6 && e.seeds.size() <= 20) e.sign_flip_p = sign_flip_p(e.by_seed);
    if (bootstrap) e.crossed = estimating::crossed(evidence, statistic, combine, reading, e, *bootstrap);
    return e;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
