// What a training session leaves on disk, whatever network it trains: position, histories, named lists of parameters.
#pragma once
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
#include <skewgrad/store/network_file.hpp>
#include <skewgrad/store/notes.hpp>
#include <skewgrad/store/value_json.hpp>
#include <skewgrad/train/recipe.hpp>

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
    std::string network, backend, runs_on, loss;
    nlohmann::json optimiser;
    Recipe recipe;
    Seed seed;
    std::array<std::string, 2> digests;  ///< of training and held-out images

    nlohmann::json json() const {
        return {{"network", network},           {"backend", backend},
                {"runs_on", runs_on},           {"loss", loss},
                {"optimiser", optimiser},       {"recipe", value_json(recipe)},
                {"seed", seed.value},           {"training_images", digests[0]},
                {"held_out_images", digests[1]}};
    }
};

// JSON has no infinity and no NaN: both are null there, and `otherwise` when read back.
inline double number_or(const nlohmann::json& value, double otherwise) {
    return value.is_null() ? otherwise : value.get<double>();
}

inline nlohmann::json to_json(const Look& l) {
    return {{"look", l.look},
            {"updates", l.updates},
            {"epoch", l.epoch},
            {"train_loss", l.train_loss},
            {"train_accuracy", l.train_accuracy},
            {"held_loss", l.held_loss},
            {"held_accuracy", l.held_accuracy},
            {"best", l.best}};
}

inline Look look_from(const nlohmann::json& j) {
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    return {.look = j.at("look"),
            .updates = j.at("updates"),
            .epoch = j.at("epoch"),
            .train_loss = number_or(j.at("train_loss"), none),
            .train_accuracy = number_or(j.at("train_accuracy"), none),
            .held_loss = number_or(j.at("held_loss"), none),
            .held_accuracy = number_or(j.at("held_accuracy"), none),
            .best = j.at("best")};
}

inline nlohmann::json to_json(const StepState& s) {
    return {{"updates", s.updates}, {"images", s.images}, {"correct", s.correct}, {"loss_sum", s.loss_sum}};
}
inline StepState state_from(const nlohmann::json& j) {
    return {
        .updates = j.at("updates"), .images = j.at("images"), .correct = j.at("correct"), .loss_sum = j.at("loss_sum")};
}

inline nlohmann::json to_json(const History& h) {
    nlohmann::json looks = nlohmann::json::array();
    for (const Look& look : h.looks) looks.push_back(to_json(look));
    return {{"best_look", h.best_look},
            {"best_loss", h.best_loss},
            {"stop", static_cast<int>(h.stop)},
            {"looks", std::move(looks)}};
}

/// Throws nlohmann's exceptions where an entry is missing or of another type.
inline History history_from(const nlohmann::json& j) {
    History h{.looks = {},
              .best_look = j.at("best_look"),
              .best_loss = number_or(j.at("best_loss"), std::numeric_limits<double>::infinity()),
              .stop = static_cast<Stop>(j.at("stop").get<int>())};
    for (const auto& look : j.at("looks")) h.looks.push_back(look_from(look));
    return h;
}

/// Where a session stands.
struct Position {
    History history;
    StepState state, look_began;  ///< now; where the look in progress began
    int in_look = 0;              ///< updates of that look that were made
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
    at["now"] = to_json(position.state);
    at["look_began"] = to_json(position.look_began);
    at["in_look"] = position.in_look;
    at["epoch"] = position.epoch;
    at["in_epoch"] = position.in_epoch;
    file.metadata["skewgrad.session"] = identity.json().dump();
    file.metadata["skewgrad.position"] = at.dump();
    write_safetensors(path, file);
}

namespace reading {

inline nlohmann::json json_note(const TensorFile& file, const char* name) {
    const auto found = file.metadata.find(name);
    if (found == file.metadata.end())
        throw FileError(file.source, std::string("is no checkpoint: it has no note \"") + name + "\"");
    auto parsed = nlohmann::json::parse(found->second, nullptr, false);
    if (!parsed.is_object()) throw FileError(file.source, std::string("its note \"") + name + "\" is not JSON");
    return parsed;
}

inline void check_identity(const TensorFile& file, const Identity& ours, FromHardware accepted) {
    const auto theirs = json_note(file, "skewgrad.session");
    const nlohmann::json wanted = ours.json();
    for (const auto& [key, value] : wanted.items()) {
        if (accepted == FromHardware::any && (key == "backend" || key == "runs_on")) continue;
        if (!theirs.contains(key) || theirs[key] != value)
            throw FileError(file.source, "is a checkpoint of another session: its " + key + " is " +
                                             (theirs.contains(key) ? theirs[key].dump() : "missing") + ", not " +
                                             value.dump());
    }
}

/// @param images how many a session trains on in an epoch
inline Position position(const TensorFile& file, int updates_per_look, std::size_t images) {
    const auto at = json_note(file, "skewgrad.position");
    const auto damaged = [&](const std::string& why) {
        return FileError(file.source, "its note \"skewgrad.position\" is damaged: " + why);
    };
    Position p;
    try {
        p.history = history_from(at);
        p.state = state_from(at.at("now"));
        p.look_began = state_from(at.at("look_began"));
        p.in_look = at.at("in_look");
        p.epoch = at.at("epoch");
        p.in_epoch = at.at("in_epoch");
    } catch (const nlohmann::json::exception& e) {
        throw damaged(e.what());
    }
    const auto agree = [&](const char* what, std::uint64_t found, std::uint64_t wanted) {
        if (found != wanted)
            throw damaged(std::string(what) + " is " + std::to_string(found) + ", not " + std::to_string(wanted));
    };
    const auto looks = static_cast<std::uint64_t>(p.history.looks.size());
    if (p.in_look < 0 || p.in_look >= updates_per_look) throw damaged("in_look is " + std::to_string(p.in_look));
    const std::uint64_t made = looks * static_cast<std::uint64_t>(updates_per_look);
    agree("updates", p.state.updates, made + static_cast<std::uint64_t>(p.in_look));
    if (p.in_look > 0) agree("look_began.updates", p.look_began.updates, made);
    agree("images", p.state.images, std::uint64_t{p.epoch} * images + p.in_epoch);
    if (p.in_epoch >= images) throw damaged("in_epoch is " + std::to_string(p.in_epoch));
    if (p.history.best_look < 0 || p.history.best_look > static_cast<int>(looks))
        throw damaged("best_look is " + std::to_string(p.history.best_look));
    if (p.history.stop < Stop::not_yet || p.history.stop > Stop::looks)
        throw damaged("stop is " + std::to_string(static_cast<int>(p.history.stop)));
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
    Position position = reading::position(file, identity.recipe.updates_per_look, images);
    for (auto& [name, values] : lists) values = network_file::extract<Real>(file, network, name + ".");
    return position;
}

}  // namespace checkpoint

}  // namespace SKEWGRAD_NAMESPACE
