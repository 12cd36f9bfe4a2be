// A study as its report asks for it: right answers by kind of network, class and seed, and which interval there is.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/evaluate/intervals.hpp>
#include <skewgrad/evaluate/student_t.hpp>
#include <skewgrad/report/claim_tables.hpp>
#include <skewgrad/report/paper.hpp>
#include <skewgrad/study/claims.hpp>

namespace SKEWGRAD_NAMESPACE::report {

/// One quantity of one class in every seed; none where a seed lacks it. `share`: with its denominator, where it is the
/// share of one seed, of which an interval over images can be told.
struct BySeed {
    std::vector<std::optional<double>> values;
    std::optional<Ratio> share{};
};

/// A number and its interval, where it has one.
struct Estimated {
    std::optional<double> value, low, high;
};

/// Several seeds: their mean and Student's 95 % interval. One seed: the value, with Wilson's 95 % interval over images
/// if it is a share, in percent. Never an interval over seeds that are not there.
inline Estimated estimated(const BySeed& of) {
    std::vector<double> there;
    for (const auto& v : of.values)
        if (v) there.push_back(*v);
    if (there.empty()) return {};
    const MeanEstimate mean = mean_estimate(there);
    if (there.size() > 1) return {mean.mean, mean.interval.low, mean.interval.high};
    if (!of.share || of.values.size() > 1) return {mean.mean, std::nullopt, std::nullopt};
    const Interval wilson = wilson_interval(*of.share);
    return {mean.mean, 100 * wilson.low, 100 * wilson.high};
}

/// The plain average over classes in every seed; a class that no seed has leaves it, a seed that lacks another has
/// none.
inline BySeed average_over_classes(const std::vector<BySeed>& classes) {
    BySeed average;
    for (const BySeed& c : classes) average.values.resize(std::max(average.values.size(), c.values.size()));
    for (std::size_t s = 0; s < average.values.size(); ++s) {
        double sum = 0;
        int count = 0;
        bool complete = true;
        for (const BySeed& c : classes) {
            if (std::none_of(c.values.begin(), c.values.end(), [](const auto& v) { return v.has_value(); })) continue;
            complete = complete && s < c.values.size() && c.values[s];
            if (complete) sum += *c.values[s], ++count;
        }
        if (complete && count > 0) average.values[s] = sum / count;
    }
    return average;
}

/// What all parts of a report look at.
class StudyView {
public:
    /// Both must live on.
    StudyView(const StudyResults& results, const Judgement& judgement) : results_(results), judgement_(judgement) {}

    const StudyResults& results() const noexcept { return results_; }
    const Judgement& judgement() const noexcept { return judgement_; }
    const claims::Evidence& evidence() const noexcept { return judgement_.evidence; }
    const std::vector<std::uint64_t>& seeds() const noexcept { return evidence().blocks; }
    std::size_t classes() const noexcept { return results_.class_names.size(); }
    const std::vector<std::string>& class_names() const noexcept { return results_.class_names; }
    bool classes_are_the_papers() const {
        return std::equal(class_names().begin(), class_names().end(), paper::class_names.begin(),
                          paper::class_names.end());
    }
    bool any(claims::Kind kind) const {
        return std::any_of(evidence().cells().begin(), evidence().cells().end(),
                           [&](const auto& cell) { return cell.first.victim.kind == kind; });
    }

    const std::span<const ImageRecord>* images(std::uint64_t seed, claims::Kind kind, Label c,
                                               claims::Gradient gradient = claims::Gradient::own,
                                               claims::Method method = claims::Method::fast, int draw = 0) const {
        const claims::NetworkName victim{
            .block = seed, .kind = kind, .skewed = claims::skews(kind) ? std::optional(c) : std::nullopt};
        return evidence().find(
            claims::CellName{.victim = victim, .attacked = c, .gradient = gradient, .method = method, .draw = draw});
    }

    /// Percent of class `c` that is right under an attack; the draws of noise are pooled.
    BySeed attacked(claims::Kind kind, Label c, claims::Gradient gradient,
                    claims::Method method = claims::Method::fast) const {
        return shares([&](std::uint64_t seed) {
            Ratio right;
            for (int draw = 0;; ++draw) {
                const auto* found = images(seed, kind, c, gradient, method, draw);
                if (found == nullptr) return right;
                right.of += std::ssize(*found);
                for (const ImageRecord& i : *found) right.hits += correct(i.attacked.said, c);
            }
        });
    }
    /// And without one.
    BySeed clean(claims::Kind kind, Label c) const {
        return shares([&](std::uint64_t seed) {
            Ratio right;
            const auto* found = images(seed, kind, c);
            if (found == nullptr) return right;
            right.of = std::ssize(*found);
            for (const ImageRecord& i : *found) right.hits += correct(i.clean.said, c);
            return right;
        });
    }
    /// A share of every seed, in percent.
    BySeed shares(const std::function<Ratio(std::uint64_t seed)>& of_seed) const {
        BySeed all;
        for (const std::uint64_t seed : seeds()) {
            const Ratio r = of_seed(seed);
            all.values.push_back(percent(r));
            if (seeds().size() == 1 && r.defined()) all.share = r;
        }
        return all;
    }

    /// Test images of a class, if all classes have as many; else 0.
    std::size_t images_a_class() const {
        const auto& counts = evidence().images();
        const bool alike = !counts.empty() && std::all_of(counts.begin(), counts.end(),
                                                          [&](std::size_t n) { return n == counts.front(); });
        return alike ? counts.front() : 0;
    }
    std::string images_in_words() const {
        return images_a_class() > 0 ? std::to_string(images_a_class()) + " test images a class"
                                    : "the class's test images";
    }
    /// What a bar around a share is, in words.
    std::string interval_in_words() const {
        if (seeds().size() > 1)
            return "bars are Student's 95 % intervals over " + std::to_string(seeds().size()) +
                   " seeds (blocks of networks), " + images_in_words();
        return "bars are Wilson's 95 % intervals over images (" + images_in_words() +
               ") of one seed: they say nothing of how networks of other seeds would differ, and averages have none";
    }

private:
    const StudyResults& results_;
    const Judgement& judgement_;
};

/// The class that stands for the others where one must: cat, as in the paper's text, else the first.
inline std::size_t chosen_class(const StudyView& view) {
    const auto& names = view.class_names();
    const auto cat = std::find(names.begin(), names.end(), "cat");
    return cat == names.end() ? 0 : static_cast<std::size_t>(cat - names.begin());
}

inline Label label_of(std::size_t c) { return static_cast<Label>(c); }

}  // namespace SKEWGRAD_NAMESPACE::report
