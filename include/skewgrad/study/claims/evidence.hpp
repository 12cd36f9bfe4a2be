// What claims are judged by: which networks there are, and their records image by image, under names that a claim
// knows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/study/results.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// What a network was trained on. `few` completes the square: balanced is (own count high, others' high), under (low,
/// high), over (high, low), few (low, low).
enum class Kind {
    balanced,
    under,
    over,
    few,                ///< every class at the count that `under` leaves its own
    sham,               ///< the balanced set again, under a training seed of its own
    under_adjusted,     ///< under, its logits adjusted for the class shares after training (Menon et al. 2021)
    over_adjusted,      ///< likewise
    balanced_as_under,  ///< balanced, as many images in all as under has
    balanced_as_over,   ///< balanced, as many images in all as over has
};
/// Whose gradient: the victim's own; a balanced network's of another seed; the balanced network's of the same seed,
/// which shares the victim's initial weights.
enum class From { own, other_seed, same_seed };
/// By what means. The iterative attack is the projected one of 20 steps of a quarter of epsilon.
enum class By {
    fast,
    iterative,
    permuted,  ///< another image's signs, same class and source
    random,    ///< several draws
    descent,
    fast_tenth,     ///< the fast attack with a tenth of the step
    iterative_far,  ///< the iterative attack at epsilon 0.25
};

inline bool skews(Kind kind) {
    return kind == Kind::under || kind == Kind::over || kind == Kind::under_adjusted || kind == Kind::over_adjusted;
}
inline const char* name_of(Kind kind) {
    constexpr const char* names[] = {"balanced",
                                     "under",
                                     "over",
                                     "few",
                                     "sham",
                                     "under, logits adjusted",
                                     "over, logits adjusted",
                                     "balanced at the size of under",
                                     "balanced at the size of over"};
    return names[static_cast<std::size_t>(kind)];
}
inline const char* name_of(From from) {
    constexpr const char* names[] = {"its own gradient", "another seed's gradient", "the balanced network's gradient"};
    return names[static_cast<std::size_t>(from)];
}
inline const char* name_of(By by) {
    constexpr const char* names[] = {"fast",    "iterative",           "permuted sign",    "random sign",
                                     "descent", "a tenth of the step", "iterative at 0.25"};
    return names[static_cast<std::size_t>(by)];
}

/// One network: the block that it belongs to (the study's seed), what it was trained on, and which class that skews.
/// `dose`: the skewed class's count where it is not the study's own; 0: it is.
struct NetworkName {
    std::uint64_t block = 0;
    Kind kind = Kind::balanced;
    std::optional<Label> skewed{};
    int dose = 0;
    friend auto operator<=>(const NetworkName&, const NetworkName&) = default;
    friend bool operator==(const NetworkName&, const NetworkName&) = default;
};
/// One cell: who is attacked, on which class's images, whose gradient it is, by what; `draw` tells the draws of noise
/// apart.
struct CellName {
    NetworkName victim;
    Label attacked{};
    From from = From::own;
    By by = By::fast;
    int draw = 0;
    friend auto operator<=>(const CellName&, const CellName&) = default;
    friend bool operator==(const CellName&, const CellName&) = default;
};

/// What is known of a network beside its cells.
struct NetworkRecord {
    std::vector<std::vector<Outcome>> clean;  ///< a list a class: its test images without attack, in order
    std::vector<int> counts;                  ///< training images a class
    int looks = 0;                            ///< that it was trained for
    bool out_of_looks = false;                ///< they ended the training, not its patience
};

/// All of that, to be looked up by name. Records are looked at, not copied: what they were added from must live on.
class Evidence {
public:
    explicit Evidence(std::vector<std::string> class_names)
        : class_names_(std::move(class_names)), images_(class_names_.size()) {}

    /// @throws ValueError for a second network of one name, or another number of images of a class than before.
    void add(const NetworkName& name, NetworkRecord record) {
        for (std::size_t c = 0; c < record.clean.size(); ++c) check_images(c, record.clean[c].size(), describe(name));
        if (!networks_.emplace(name, std::move(record)).second)
            throw ValueError("Evidence: two networks are called \"" + describe(name) + "\"");
    }
    /// @throws ValueError for a second cell of one name, or another number of images of its class than before.
    void add(const CellName& name, std::span<const ImageRecord> images) {
        check_images(static_cast<std::size_t>(index(name.attacked)), images.size(), describe(name));
        if (!cells_.emplace(name, images).second)
            throw ValueError("Evidence: two cells are called \"" + describe(name) + "\"");
    }

    const NetworkRecord* find(const NetworkName& name) const {
        const auto found = networks_.find(name);
        return found == networks_.end() ? nullptr : &found->second;
    }
    const std::span<const ImageRecord>* find(const CellName& name) const {
        const auto found = cells_.find(name);
        return found == cells_.end() ? nullptr : &found->second;
    }
    const std::map<NetworkName, NetworkRecord>& networks() const noexcept { return networks_; }
    const std::map<CellName, std::span<const ImageRecord>>& cells() const noexcept { return cells_; }

    const std::vector<std::string>& class_names() const noexcept { return class_names_; }
    const std::string& class_name(Label c) const { return class_names_.at(static_cast<std::size_t>(index(c))); }
    int classes() const noexcept { return static_cast<int>(class_names_.size()); }
    /// Test images of each class; 0 where nothing was added that has any.
    const std::vector<std::size_t>& images() const noexcept { return images_; }

    std::vector<std::uint64_t> blocks;             ///< the study's seeds: the units of replication, in order
    std::vector<std::optional<Label>> partners{};  ///< a class's look-alike, where it has one; empty: none has
    std::vector<double> similarity{};              ///< of each class to its partner, 0 .. 1; empty: unknown

    /// A name for readers: "seed 3, under (cat)".
    std::string describe(const NetworkName& name) const {
        std::string text = "seed " + std::to_string(name.block) + ", " + name_of(name.kind);
        if (name.skewed) text += " (" + class_name(*name.skewed) + ")";
        if (name.dose != 0) text += " at " + std::to_string(name.dose) + " images";
        return text;
    }
    std::string describe(const CellName& name) const {
        std::string text = describe(name.victim) + ", " + name_of(name.by);
        if (name.by != By::random) text += std::string(" from ") + name_of(name.from);
        return text + " on " + class_name(name.attacked);
    }

private:
    /// Records are compared image by image, so all are of the same images.
    void check_images(std::size_t c, std::size_t count, const std::string& of) {
        std::size_t& known = images_.at(c);
        if (known != 0 && count != known)
            throw ValueError("Evidence: " + of + " has " + std::to_string(count) + " images of " + class_names_[c] +
                             ", others have " + std::to_string(known));
        known = count;
    }

    std::vector<std::string> class_names_;
    std::vector<std::size_t> images_;
    std::map<NetworkName, NetworkRecord> networks_;
    std::map<CellName, std::span<const ImageRecord>> cells_;
};

}  // namespace SKEWGRAD_NAMESPACE::claims
