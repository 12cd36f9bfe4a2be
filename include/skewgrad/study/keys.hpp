// Keys that identify trainings and cells: comparable values with canonical JSON.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/store/json_text.hpp>
#include <skewgrad/store/value_json.hpp>
#include <skewgrad/study/called.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace study {

/// Name and fields of a sampler, a data protocol or an attack.
template <Value T>
nlohmann::json description(const T& thing) {
    return named_json(thing);
}
/// A self-check's name distinguishes it from the study's own attacks.
template <class A>
nlohmann::json description(const AsSelfCheck<A>& check) {
    nlohmann::json j = description(check.attack);
    j["name"] = std::string("self_check_") + A::name;
    return j;
}

/// A name for the claims is no part of an identity.
template <class T>
nlohmann::json description(const Called<T>& called) {
    return description(called.value);
}

/// The hardware-independent identity of a training or a cell: its JSON without the learner's backend.
inline nlohmann::json without_hardware(nlohmann::json key) {
    if (key.contains("learner")) key["learner"].erase("backend");
    for (const char* part : {"victim", "source"})
        if (key.contains(part)) key[part] = without_hardware(std::move(key[part]));
    return key;
}

}  // namespace study

/// The key of one trained network: how it is trained (network, backend, optimiser, recipe), its class counts, its seed.
/// Equal keys denote the same training.
struct TrainingKey {
    nlohmann::json learner, sampler;
    Seed seed;

    nlohmann::json json() const { return {{"learner", learner}, {"sampler", sampler}, {"seed", seed.value}}; }
    /// The canonical text: sorted names, shortest round-trip numbers.
    std::string text() const { return json_text(json()); }
    friend bool operator==(const TrainingKey& a, const TrainingKey& b) { return a.text() == b.text(); }
};

/// The key of one evaluation: the victim, the gradient's source, the attack, and the attacked class of test images.
struct CellKey {
    TrainingKey victim, source;
    nlohmann::json attack;
    Label attacked_class{};

    nlohmann::json json() const {
        return {{"victim", victim.json()},
                {"source", source.json()},
                {"attack", attack},
                {"attacked_class", index(attacked_class)}};
    }
    std::string text() const { return json_text(json()); }
    friend bool operator==(const CellKey& a, const CellKey& b) { return a.text() == b.text(); }
};

}  // namespace SKEWGRAD_NAMESPACE
