// One seed and one class of the evidence, as a claim's statistic asks for them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/study/claims/evidence.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// What a statistic asked for is not in the study; the text names it.
class NotRun : public Error {
public:
    using Error::Error;
};

/// How a claim's words are read: which attack is "the attack", what "another network's gradient" is, and which kinds
/// of network stand in the place of others. So the same statistic answers under the iterative attack, with logits
/// adjusted, on networks of equal size, and on a sham skew.
struct Reading {
    By attack = By::fast;
    From other = From::other_seed;
    std::vector<std::pair<Kind, Kind>> in_place_of{};  ///< (the kind named, the kind taken)

    Kind taken(Kind named) const {
        for (const auto& [of, stands] : in_place_of)
            if (of == named) return stands;
        return named;
    }
};

/// Positions among each class's images, one list a class: all of them once, or a resample.
using Positions = std::vector<std::vector<std::uint32_t>>;

/// Records of one cell (or one network without attack) at the positions in use.
template <class Record>
class Records {
public:
    Records(std::span<const Record> all, std::span<const std::uint32_t> positions) : all_(all), positions_(positions) {}
    std::size_t size() const noexcept { return positions_.size(); }
    const Record& operator[](std::size_t i) const { return all_[positions_[i]]; }

private:
    std::span<const Record> all_;
    std::span<const std::uint32_t> positions_;
};
using Images = Records<ImageRecord>;
using CleanImages = Records<Outcome>;

/// A seed's block seen for one class. What a statistic asks for and the study lacks ends it with NotRun.
class Case {
public:
    Case(const Evidence& evidence, std::uint64_t block, Label c, const Reading& reading, const Positions& positions,
         std::set<NetworkName>* used = nullptr)
        : evidence_(&evidence), block_(block), class_(c), reading_(&reading), positions_(&positions), used_(used) {}

    Label label() const noexcept { return class_; }
    const Evidence& evidence() const noexcept { return *evidence_; }

    /// The class's images under the attack, with the victim's own gradient.
    Images operator()(Kind victim) const { return cell(victim, From::own, reading_->attack); }
    /// The same with another balanced network's gradient.
    Images transferred(Kind victim) const { return cell(victim, reading_->other, reading_->attack); }
    /// Another image's signs, from the victim's own gradients or from those of another network.
    Images permuted(Kind victim) const { return cell(victim, From::own, By::permuted); }
    Images permuted_transferred(Kind victim) const { return cell(victim, reading_->other, By::permuted); }
    /// Draw `draw` of white noise, counted from 0; at least one must be there.
    std::optional<Images> noise(Kind victim, int draw) const {
        if (draw > 0 && evidence_->find(cell_name(victim, From::own, By::random, draw, 0)) == nullptr)
            return std::nullopt;
        return cell(victim, From::own, By::random, draw);
    }
    /// An under-sampled or over-sampled network at another count of its class.
    Images at_dose(Kind victim, int dose) const { return cell(victim, From::own, reading_->attack, 0, dose); }

    /// A network without attack, on the images of class `of`.
    CleanImages clean(Kind kind, Label of) const {
        const NetworkRecord& network = record(kind);
        const auto c = static_cast<std::size_t>(index(of));
        if (c >= network.clean.size()) throw NotRun(std::string(name_of(kind)) + " without attack on every class");
        return {network.clean[c], positions_->at(c)};
    }
    CleanImages clean(Kind kind) const { return clean(kind, class_); }
    /// The counts at which `under` or `over` was trained on this class beside the study's own, ascending.
    std::vector<int> doses(Kind kind) const {
        std::vector<int> found;
        for (const auto& [name, network] : evidence_->networks())
            if (name.block == block_ && name.kind == kind && name.skewed == class_ && name.dose != 0)
                found.push_back(name.dose);
        return found;
    }
    /// Training images a class.
    const std::vector<int>& counts(Kind kind, int dose = 0) const { return record(kind, dose).counts; }

    /// The class's look-alike. @throws NotRun where it has none.
    Label partner() const {
        const auto c = static_cast<std::size_t>(index(class_));
        if (c >= evidence_->partners.size() || !evidence_->partners[c])
            throw NotRun("a look-alike of " + evidence_->class_name(class_));
        return *evidence_->partners[c];
    }

private:
    NetworkName network_name(Kind named, int dose) const {
        const Kind kind = reading_->taken(named);
        return {
            .block = block_, .kind = kind, .skewed = skews(kind) ? std::optional(class_) : std::nullopt, .dose = dose};
    }
    CellName cell_name(Kind victim, From from, By by, int draw, int dose) const {
        return {.victim = network_name(victim, dose), .attacked = class_, .from = from, .by = by, .draw = draw};
    }
    Images cell(Kind victim, From from, By by, int draw = 0, int dose = 0) const {
        const CellName name = cell_name(victim, from, by, draw, dose);
        const auto* found = evidence_->find(name);
        if (found == nullptr) throw NotRun(evidence_->describe(name));
        if (used_ != nullptr) used_->insert(name.victim);
        return {*found, positions_->at(static_cast<std::size_t>(index(class_)))};
    }
    const NetworkRecord& record(Kind kind, int dose = 0) const {
        const NetworkName name = network_name(kind, dose);
        const NetworkRecord* found = evidence_->find(name);
        if (found == nullptr) throw NotRun(evidence_->describe(name));
        if (used_ != nullptr) used_->insert(name);
        return *found;
    }

    const Evidence* evidence_;
    std::uint64_t block_;
    Label class_;
    const Reading* reading_;
    const Positions* positions_;
    std::set<NetworkName>* used_;
};

}  // namespace SKEWGRAD_NAMESPACE::claims
