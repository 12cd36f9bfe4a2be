// What a run was: its resolved configuration and digest, compiler, machine, versions. Saved beside every result.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <xtensor/xtensor_config.hpp>

#include <skewgrad/core/random.hpp>
#include <skewgrad/store/digest.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The record of a study on a context; `further` is what the caller knows of it (the data's name, a protocol's).
template <class Study, class Context>
nlohmann::json run_record(const Study& study, const Context& on, nlohmann::json further) {
    nlohmann::json configuration = std::move(further);
    configuration.update(study.configuration());
    configuration["learner"] = study.learner.json();
    configuration["attacks"] = study.attack_descriptions();
    for (const Seed seed : study.seeds) configuration["seeds"].push_back(seed.value);
    const std::string digest = Digest().text(configuration.dump()).hex();
    const auto version = [](int major, int minor, int patch) {
        return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
    };
    nlohmann::json record;
    record["configuration"] = std::move(configuration);
    record["configuration_digest"] = digest;
    record["runs_on"] = on.description();
    record["threads"] = on.threads();
    record["compiler"] = __VERSION__;
    record["versions"]["xtensor"] = version(XTENSOR_VERSION_MAJOR, XTENSOR_VERSION_MINOR, XTENSOR_VERSION_PATCH);
    record["versions"]["nlohmann_json"] =
        version(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH);
    return record;
}

}  // namespace SKEWGRAD_NAMESPACE
