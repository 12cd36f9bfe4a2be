// What a run was: its resolved configuration and digest, compiler, machine, versions. Saved beside every result.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <xtensor/xtensor_config.hpp>

#include <skewgrad/core/random.hpp>
#include <skewgrad/store/digest.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The record of a study on a context: `configuration` is all that decides its results but for the machine.
template <class Study, class Context>
nlohmann::json run_record(const Study& study, const Context& on, nlohmann::json configuration) {
    configuration["learner"] = study.learner.json();
    configuration["arrangement"] = study.arrangement.json();
    configuration["attacks"] = study.attack_descriptions();
    for (const Seed seed : study.seeds) configuration["seeds"].push_back(seed.value);
    configuration["test_images_per_class"] = study.test_images_per_class;
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
