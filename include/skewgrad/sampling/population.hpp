// What a sampler sees: labels and the images' identities, never pixels; and which data it may be given at all.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a sampler draws from. `labels[i]` belongs to position i.
struct Population {
    std::span<const Label> labels;
    int classes = 0;
    /// The images' indices in the whole data set: draws are keyed on them, so that two samplers of one seed agree about
    /// shared images whatever else was held out. Empty: an image is known by its position.
    std::span<const std::uint32_t> items{};
    /// For messages; empty where unknown.
    std::span<const std::string> class_names{};

    std::uint32_t item(std::uint32_t position) const { return items.empty() ? position : items[position]; }
    /// "class 3 (cat)", or "class 3" where names are unknown.
    std::string named(int c) const {
        const auto at = static_cast<std::size_t>(c);
        const std::string number = "class " + std::to_string(c);
        return at < class_names.size() ? number + " (" + class_names[at] + ")" : number;
    }
};

/// Data whose type says that it is for training: `D::split` is the `training` enumerator of its own type.
template <class Data>
concept MarkedAsTrainingData = requires { Data::split; } && (Data::split == decltype(Data::split)::training);

/// Data in, data out: what a sampler needs of a data set, and that it is *training* data. Held-out and test data
/// must keep the distribution they have, so sampling them does not compile.
template <class Data>
concept OnlyTrainingDataIsSampled =
    MarkedAsTrainingData<Data> && requires(const Data& data, std::vector<std::uint32_t> positions) {
        { std::vector<Label>(data.labels()) };
        { std::span<const std::uint32_t>(data.items()) };
        { static_cast<int>(data.classes()) };
        { data.select(std::move(positions)) } -> std::same_as<Data>;
    };

/// Throws ValueError unless the population's parts fit each other and every label is one of its classes.
/// `sampler` opens the message.
inline void check_population(const Population& all, const std::string& sampler) {
    if (all.classes < 1)
        throw ValueError(sampler + ": classes is " + std::to_string(all.classes) + ", at least 1 needed");
    if (!all.items.empty() && all.items.size() != all.labels.size())
        throw ValueError(sampler + ": " + std::to_string(all.labels.size()) + " labels but " +
                         std::to_string(all.items.size()) + " items");
    for (std::size_t i = 0; i < all.labels.size(); ++i)
        if (index(all.labels[i]) >= all.classes)
            throw ValueError(sampler + ": the label at position " + std::to_string(i) + " is " +
                             std::to_string(index(all.labels[i])) + ", the classes are 0 to " +
                             std::to_string(all.classes - 1));
}

}  // namespace SKEWGRAD_NAMESPACE
