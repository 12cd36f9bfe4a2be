// What a training session leaves on disk, whatever network it trains: position, histories, named lists of parameters.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/backend/backend.hpp>
#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/store/json_file.hpp>
#include <skewgrad/store/network_tensors.hpp>
#include <skewgrad/store/notes.hpp>
#include <skewgrad/store/safetensors.hpp>
#include <skewgrad/store/tensor_differences.hpp>
#include <skewgrad/store/value_json.hpp>
#include <skewgrad/train/history_json.hpp>
#include <skewgrad/train/recipe.hpp>
#include <skewgrad/train/training_sums.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Whether a checkpoint of another backend or instruction set is taken: from there on the bits are of neither.
enum class FromHardware { same, any };

namespace checkpoint {

/// The images a session uses, in sixteen letters: which items of which store, in order, with labels and bytes.
template <Split S>
std::string digest_of(const Subset<S>& data) {
    Digest digest;
    digest.text(data.name());
    for (std::size_t i = 0; i < data.size(); ++i)
        digest.number(data.items()[i])
            .number(static_cast<std::uint64_t>(index(data.label(i))))
            .bytes(std::as_bytes(data.bytes(i)));
    return digest.hex();
}

/// What a session is made of; a checkpoint of another one is refused, naming the entry that differs.
struct Identity {
    std::string network, backend, runs_on;
    nlohmann::json loss, perturbation, optimiser;
    Recipe recipe;
    Seed seed;
    std::array<std::string, 2> digests;  ///< of training and validation images

    nlohmann::json json() const {
        return {{"network", network},
                {"backend", backend},
                {"runs_on", runs_on},
                {"loss", loss},
                {"perturbation", perturbation},
                {"optimiser", optimiser},
                {"recipe", value_json(recipe)},
                {"seed", seed.value},
                {"training_images", digests[0]},
                {"validation_images", digests[1]}};
    }
};

inline nlohmann::json to_json(const TrainingSums& s) {
    return {{"updates", s.updates}, {"images", s.images}, {"correct", s.correct}, {"loss_sum", s.loss_sum}};
}

/// Where a session stands.
struct Position {
    History history;
    TrainingSums sums, round_began;  ///< now; where the round in progress began
    int in_round = 0;                ///< updates of that round that were made
    std::uint32_t epoch = 0;
    std::size_t in_epoch = 0;  ///< images of the epoch that were seen
};

/// A list of all a network's values under a name: parameters, best parameters, one of the optimiser's slots.
template <class Real>
using NamedValues = std::pair<std::string, std::vector<Real>>;

/// A session's lists by name, each of `size` zeros.
template <class Real>
std::vector<NamedValues<Real>> lists_of(int slots, std::size_t size) {
    std::vector<NamedValues<Real>> lists{{"parameters", std::vector<Real>(size)}, {"best", std::vector<Real>(size)}};
    for (int slot = 0; slot < slots; ++slot) lists.emplace_back("slot" + std::to_string(slot), std::vector<Real>(size));
    return lists;
}

template <class Real>
void write(const std::filesystem::path& path, const network_file::Layout& network, const Identity& identity,
           const Position& position, const std::vector<NamedValues<Real>>& lists, const Notes& notes) {
    TensorFile file;
    file.metadata = notes;
    for (const auto& [name, values] : lists)
        network_file::append<Real>(file, network, name + ".", std::span<const Real>(values));
    nlohmann::json at = to_json(position.history);
    at["now"] = to_json(position.sums);
    at["round_began"] = to_json(position.round_began);
    at["in_round"] = position.in_round;
    at["epoch"] = position.epoch;
    at["in_epoch"] = position.in_epoch;
    file.metadata["skewgrad.session"] = json_text(identity.json());
    file.metadata["skewgrad.position"] = json_text(at);
    write_safetensors(path, file);
}

namespace reading {

inline nlohmann::json json_note(const TensorFile& file, const std::string& name) {
    const auto found = file.metadata.find(name);
    if (found == file.metadata.end())
        throw FileError(file.source, "is no checkpoint: it has no note " + in_quotes(name));
    return parse_json(found->second, file.source, "its note " + in_quotes(name));
}

inline void check_identity(const TensorFile& file, const Identity& ours, FromHardware accepted) {
    const nlohmann::json theirs = json_note(file, "skewgrad.session"), wanted = ours.json();
    const JsonEntry session(theirs, file.source, "its note \"skewgrad.session\"");
    for (const auto& [key, value] : wanted.items()) {
        if (accepted == FromHardware::any && (key == "backend" || key == "runs_on")) continue;
        if (const auto differs = first_difference(session.at(key).json(), value, key))
            throw FileError(file.source, "is a checkpoint of another session: its " + differs->place + " is " +
                                             differs->first + ", not " + differs->second);
    }
}

/// The sums of a session that has made so many updates.
inline TrainingSums sums_from(const JsonEntry& at, std::uint64_t updates) {
    TrainingSums sums;
    sums.updates = at.at("updates").whole(updates, updates);
    sums.images = at.at("images").whole<std::uint64_t>();
    sums.correct = at.at("correct").whole<std::uint64_t>(0, sums.images);
    sums.loss_sum = at.at("loss_sum").number();
    return sums;
}

/// Where a session of this recipe, which trains on `images` in an epoch, can stand. Throws FileError for anything else.
inline Position position(const TensorFile& file, const Recipe& recipe, std::size_t images) {
    const nlohmann::json note = json_note(file, "skewgrad.position");
    const JsonEntry at(note, file.source, "its note \"skewgrad.position\"");
    Position p;
    p.history = history_from(at);
    const auto rounds = static_cast<std::uint64_t>(p.history.rounds.size());
    const auto of_a_round = [&](std::uint64_t round) {
        return round * static_cast<std::uint64_t>(recipe.updates_per_round);
    };
    p.epoch = at.at("epoch").whole<std::uint32_t>();
    p.in_epoch = at.at("in_epoch").whole<std::size_t>(0, images - 1);
    // Within a round only where another update follows.
    p.in_round = at.at("in_round").whole(0, p.history.stop == Stop::not_yet ? recipe.updates_per_round - 1 : 0);
    p.round_began = sums_from(at.at("round_began"), of_a_round(rounds));
    p.sums = sums_from(at.at("now"), of_a_round(rounds) + static_cast<std::uint64_t>(p.in_round));
    const std::uint64_t seen = std::uint64_t{p.epoch} * images + p.in_epoch;
    at.at("now").at("images").whole(seen, seen);
    at.at("round_began").at("images").whole<std::uint64_t>(0, p.sums.images);
    at.at("round_began").at("correct").whole<std::uint64_t>(0, p.sums.correct);

    int best = 0;
    for (std::size_t i = 0; i < p.history.rounds.size(); ++i) {
        const Round& round = p.history.rounds[i];
        if (round.round != static_cast<int>(i) + 1 || round.updates != of_a_round(i + 1) || round.epoch > p.epoch)
            at.at("rounds").list()[i].refuse("round " + std::to_string(i + 1) + " after " +
                                             std::to_string(of_a_round(i + 1)) + " updates");
        if (round.best) best = round.round;
    }
    if (p.history.best_round != best)
        at.at("best_round").refuse("the last best of its rounds, " + std::to_string(best));
    constexpr double none = std::numeric_limits<double>::infinity();
    const double loss =
        best == 0 ? none
                  : at.at("rounds").list()[static_cast<std::size_t>(best) - 1].at("validation_loss").number_or(none);
    if (p.history.best_loss != loss) at.at("best_loss").refuse("the validation loss of round " + std::to_string(best));
    if (rounds > static_cast<std::uint64_t>(recipe.rounds))
        at.at("rounds").refuse("at most " + std::to_string(recipe.rounds) + " rounds");
    const Stop stop = stop_after(recipe, static_cast<int>(rounds), best);
    if (p.history.stop != stop) at.at("stop").refuse(std::to_string(static_cast<int>(stop)));
    return p;
}

}  // namespace reading

/// Reads the lists named in `lists` and returns the position. Throws FileError, with nothing changed, where the file is
/// damaged or another session's.
template <class Real>
Position read(const std::filesystem::path& path, const network_file::Layout& network, const Identity& identity,
              std::size_t images, std::vector<NamedValues<Real>>& lists, const Notes& expected, FromHardware accepted) {
    const TensorFile file = read_safetensors(path);
    check_notes(file, expected);
    reading::check_identity(file, identity, accepted);
    Position position = reading::position(file, identity.recipe, images);
    TensorDifferences differences;
    std::vector<network_file::Pairing> found;
    for (const auto& [name, values] : lists) {
        found.push_back(network_file::pair_by_name(file, network, name + ".", differences));
        found.back().compare<Real>(differences, false);
    }
    for (const Tensor& tensor : file.tensors)
        if (std::ranges::none_of(found, [&](const auto& pairing) { return pairing.uses(tensor); }))
            differences.unexpected.push_back(tensor.name);
    differences.raise(file);
    for (std::size_t i = 0; i < lists.size(); ++i) {
        lists[i].second.assign(network.size, Real{});
        found[i].copy<Real>(lists[i].second);
    }
    return position;
}

}  // namespace checkpoint

}  // namespace SKEWGRAD_NAMESPACE
