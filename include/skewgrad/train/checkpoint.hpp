// A training session on disk: parameters, best parameters, optimiser state and position, and what made them.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/network_file.hpp>
#include <skewgrad/train/session.hpp>

namespace SKEWGRAD_NAMESPACE {

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
template <ANetwork N, Backend B, Optimiser O, class Loss>
nlohmann::json identity(const typename Session<N, B, O, Loss>::ModelType& model,
                        const std::array<std::string, 2>& digests, const O& optimiser, const Recipe& r, Seed seed) {
    nlohmann::json rates;
    for (const auto& rate : optimiser.rates()) rates[rate.name] = rate.value;
    return {{"network", describe<N>()},
            {"backend", B::name()},
            {"runs_on", model.context().description()},
            {"loss", Loss::name},
            {"optimiser", {{"name", O::name}, {"rates", rates}}},
            {"recipe",
             {{"batch", r.batch},
              {"looks", r.looks},
              {"patience", r.patience},
              {"min_delta", r.min_delta},
              {"updates_per_look", r.updates_per_look},
              {"flips", r.flips}}},
            {"seed", seed.value},
            {"training_images", digests[0]},
            {"held_out_images", digests[1]}};
}

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

}  // namespace checkpoint

template <ANetwork N, Backend B, Optimiser O, class Loss>
const std::array<std::string, 2>& Session<N, B, O, Loss>::digests() const {
    if (!digests_) digests_ = {checkpoint::digest_of(data_), checkpoint::digest_of(held_)};
    return *digests_;
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::save(const std::filesystem::path& path, const Notes& notes) const {
    using Real = typename B::Real;
    TensorFile file;
    file.metadata = notes;
    std::vector<Real> values(N::state_size);
    const auto keep = [&](const std::string& prefix) {
        network_file::append<N, Real>(file, prefix, std::span<const Real>(values));
    };
    Program::export_parameters(model_.context(), model_.backend_parameters(), values);
    keep("parameters.");
    Program::export_parameters(model_.context(), *best_, values);
    keep("best.");
    for (int slot = 0; slot < O::slots; ++slot) {
        Program::export_slot(model_.context(), training_, slot, values);
        keep("slot" + std::to_string(slot) + ".");
    }
    nlohmann::json position = checkpoint::to_json(history_);
    position["updates"] = state_.updates;
    position["images"] = state_.images;
    position["correct"] = state_.correct;
    position["loss_sum"] = state_.loss_sum;
    position["epoch"] = epoch_;
    position["in_epoch"] = position_;
    file.metadata["skewgrad.session"] =
        checkpoint::identity<N, B, O, Loss>(model_, digests(), optimiser_, recipe_, seed_).dump();
    file.metadata["skewgrad.position"] = position.dump();
    write_safetensors(path, file);
}

template <ANetwork N, Backend B, Optimiser O, class Loss>
void Session<N, B, O, Loss>::load(const std::filesystem::path& path, const Notes& expected, FromHardware accepted) {
    using Real = typename B::Real;
    const TensorFile file = read_safetensors(path);
    check_notes(file, expected);
    const auto note = [&](const char* name) {
        const auto found = file.metadata.find(name);
        if (found == file.metadata.end())
            throw FileError(path.string(), std::string("is no checkpoint: it has no note \"") + name + "\"");
        const auto parsed = nlohmann::json::parse(found->second, nullptr, false);
        if (!parsed.is_object()) throw FileError(path.string(), std::string("its note \"") + name + "\" is not JSON");
        return parsed;
    };
    const auto theirs = note("skewgrad.session");
    const auto ours = checkpoint::identity<N, B, O, Loss>(model_, digests(), optimiser_, recipe_, seed_);
    for (const auto& [key, value] : ours.items())
        if (accepted == FromHardware::any && (key == "backend" || key == "runs_on"))
            continue;
        else if (!theirs.contains(key) || theirs[key] != value)
            throw FileError(path.string(), "is a checkpoint of another session: its " + key + " is " +
                                               (theirs.contains(key) ? theirs[key].dump() : "missing") + ", not " +
                                               value.dump());
    const auto position = note("skewgrad.position");
    // All is read before anything is changed.
    const auto parameters = network_file::extract<N, Real>(file, "parameters.");
    const auto best = network_file::extract<N, Real>(file, "best.");
    std::vector<std::vector<Real>> slots;
    for (int slot = 0; slot < O::slots; ++slot)
        slots.push_back(network_file::extract<N, Real>(file, "slot" + std::to_string(slot) + "."));
    History history;
    StepState state;
    std::uint64_t epoch = 0, in_epoch = 0;
    const auto damaged = [&](const std::string& why) {
        return FileError(path.string(), "its note \"skewgrad.position\" is damaged: " + why);
    };
    try {
        history = checkpoint::history_from(position);
        state = {.updates = position.at("updates"),
                 .images = position.at("images"),
                 .correct = position.at("correct"),
                 .loss_sum = position.at("loss_sum")};
        epoch = position.at("epoch");
        in_epoch = position.at("in_epoch");
    } catch (const nlohmann::json::exception& e) {
        throw damaged(e.what());
    }
    const auto agree = [&](const char* what, std::uint64_t found, std::uint64_t wanted) {
        if (found != wanted)
            throw damaged(std::string(what) + " is " + std::to_string(found) + ", not " + std::to_string(wanted));
    };
    const auto looks = static_cast<std::uint64_t>(history.looks.size());
    agree("updates", state.updates, looks * static_cast<std::uint64_t>(recipe_.updates_per_look));
    agree("images", state.images, epoch * data_.size() + in_epoch);
    if (in_epoch >= data_.size()) throw damaged("in_epoch is " + std::to_string(in_epoch));
    if (history.best_look < 0 || history.best_look > static_cast<int>(looks))
        throw damaged("best_look is " + std::to_string(history.best_look));
    if (history.stop < Stop::not_yet || history.stop > Stop::looks)
        throw damaged("stop is " + std::to_string(static_cast<int>(history.stop)));
    history_ = std::move(history);
    state_ = state;
    epoch_ = static_cast<std::uint32_t>(epoch);
    position_ = static_cast<std::size_t>(in_epoch);
    order_.clear();
    Program::import_parameters(model_.context(), model_.backend_parameters(), parameters);
    Program::import_parameters(model_.context(), *best_, best);
    for (int slot = 0; slot < O::slots; ++slot)
        Program::import_slot(model_.context(), training_, slot, slots[static_cast<std::size_t>(slot)]);
}

}  // namespace SKEWGRAD_NAMESPACE
