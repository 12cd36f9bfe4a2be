// What stands where in a run's folder, and under which names.
#pragma once
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/notes.hpp>
#include <skewgrad/study/plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Paths and names of a run; knows nothing of what is there.
///
///     run.json                    configuration, its digest, the hardware it ran on
///     plan.json                   names of all trainings and groups of cells; what was left out
///     trainings/<name>/checkpoint.safetensors   while it is trained: everything to go on from the last look
///     trainings/<name>/network.safetensors      at its end: the parameters
///     trainings/<name>/record.safetensors       and, last of all, history, index list, answers without attack
///     cells/<name>.safetensors    a victim, a source and a class: every image of every attack
///     log/                        lock, times, progress: the only files whose bytes differ from run to run
class RunLayout {
public:
    explicit RunLayout(std::filesystem::path folder) : folder_(std::move(folder)) {}

    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path run() const { return folder_ / "run.json"; }
    std::filesystem::path plan() const { return folder_ / "plan.json"; }
    std::filesystem::path trainings() const { return folder_ / "trainings"; }
    std::filesystem::path cells() const { return folder_ / "cells"; }
    std::filesystem::path log() const { return folder_ / "log"; }
    std::filesystem::path lock() const { return log() / "lock"; }
    std::filesystem::path times() const { return log() / "times.json"; }
    std::filesystem::path progress() const { return log() / "progress.json"; }
    std::filesystem::path training(const std::string& name) const { return trainings() / name; }
    std::filesystem::path checkpoint(const std::string& name) const {
        return training(name) / "checkpoint.safetensors";
    }
    std::filesystem::path network(const std::string& name) const { return training(name) / "network.safetensors"; }
    std::filesystem::path record(const std::string& name) const { return training(name) / "record.safetensors"; }
    std::filesystem::path group(const std::string& name) const { return cells() / (name + ".safetensors"); }

private:
    std::filesystem::path folder_;
};

/// "under-3-900-seed1": kind, class, count and seed in words that any file system takes.
inline std::string short_name(const PlannedTraining& t) {
    nlohmann::json sampler = t.key.sampler;
    std::string name;
    if (t.adjusts) {
        name = "adjusted-";
        sampler = nlohmann::json(sampler.at("values").at("of"));
    }
    for (const char c : sampler.at("name").get<std::string>())
        name += std::isalnum(static_cast<unsigned char>(c)) ? static_cast<char>(std::tolower(c)) : '-';
    if (t.skewed) name += "-" + std::to_string(index(*t.skewed));
    if (const auto& values = sampler.at("values"); values.contains("count") && values["count"].is_number())
        name += "-" + values["count"].dump();
    return name + "-seed" + std::to_string(t.seed.value);
}

/// What makes a training or a group what it is, whatever it runs on: kept in its files, and expected in them.
struct RunIdentity {
    std::string name;      ///< of its file or folder: words, and the digest's first letters, so that no two are alike
    nlohmann::json value;  ///< configuration's digest and key

    RunIdentity(const std::string& words, nlohmann::json of)
        : name(words + "-" + Digest().text(of.dump()).hex().substr(0, 8)), value(std::move(of)) {}
    Notes notes() const { return {{"skewgrad.made_by", value.dump()}}; }
};

inline RunIdentity identity_of(const PlannedTraining& t, const std::string& configuration_digest) {
    return {short_name(t), {{"configuration", configuration_digest}, {"training", without_hardware(t.key.json())}}};
}
inline RunIdentity identity_of(const Plan& plan, const CellGroup& g, const std::vector<nlohmann::json>& attacks,
                               const std::string& configuration_digest) {
    const PlannedTraining &victim = plan.trainings[g.victim], &source = plan.trainings[g.source];
    nlohmann::json of{{"configuration", configuration_digest},
                      {"victim", without_hardware(victim.key.json())},
                      {"source", without_hardware(source.key.json())},
                      {"attacked_class", index(g.attacked_class)}};
    for (const std::size_t cell : g.cells) of["attacks"].push_back(attacks[plan.cells[cell].attack]);
    return {"class" + std::to_string(index(g.attacked_class)) + "-" + short_name(victim) + "-from-" +
                short_name(source),
            std::move(of)};
}

}  // namespace SKEWGRAD_NAMESPACE::study
