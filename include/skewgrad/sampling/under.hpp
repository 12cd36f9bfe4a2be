// Under-sampling as the paper means it: one class is cut, the others stay whole.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/sampling/draw.hpp>
#include <skewgrad/sampling/population.hpp>
#include <skewgrad/sampling/sampler.hpp>

namespace SKEWGRAD_NAMESPACE {

struct Under {};

/// The skewed class keeps `count` of its images, a draw without replacement; every other class keeps all
/// (Possas and Zhou, section 3: 1,000 of 5,000).
template <>
struct Sampler<Under> {
    static constexpr const char* name = "Under";
    Label skewed_class = unset_class;
    int count = 0;  ///< images of the skewed class that stay, at least 1

    /// @throws ValueError naming the class and both counts if it has fewer than `count` images.
    std::vector<std::uint32_t> positions(const Population& all, Seed seed) const {
        const std::string who = "Sampler<Under>";
        check_population(all, who);
        std::vector<int> wanted = count_by_class(all.labels, all.classes);
        wanted[static_cast<std::size_t>(checked_class(skewed_class, all, who))] = checked_count(count, who);
        return draw_counts(all, who, wanted, seed);
    }
    std::vector<std::uint32_t> operator()(std::span<const Label> labels, int classes, Seed seed) const {
        return sample_labels(*this, labels, classes, seed);
    }
    template <OnlyTrainingDataIsSampled Data>
    Data operator()(const Data& data, Seed seed) const {
        return sample(*this, data, seed);
    }
    template <class Visitor>
    constexpr void for_each_value(Visitor&& visit) const {
        visit("skewed_class", skewed_class);
        visit("count", count);
    }
    friend bool operator==(const Sampler&, const Sampler&) = default;
};

}  // namespace SKEWGRAD_NAMESPACE
