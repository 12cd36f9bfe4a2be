// What a training is, what a cell is: comparable values with canonical JSON.
#pragma once
#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace study {

inline nlohmann::json value_json(Label y) { return index(y); }
inline nlohmann::json value_json(const std::map<Label, int>& counts) {
    nlohmann::json all = nlohmann::json::object();
    for (const auto& [label, count] : counts) all[std::to_string(index(label))] = count;
    return all;
}
template <class T>
nlohmann::json value_json(const std::optional<T>& value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}
template <class T>
nlohmann::json value_json(const T& value) {
    return value;
}

/// Name and values of a sampler or an attack, through its `for_each_value`.
template <class T>
nlohmann::json description(const T& thing) {
    nlohmann::json values = nlohmann::json::object();
    thing.for_each_value([&](const char* name, const auto& value) { values[name] = value_json(value); });
    return {{"name", T::name}, {"values", std::move(values)}};
}

}  // namespace study

/// One network to be trained: how (network, backend, optimiser, recipe), on what counts, from which seed. Equal keys
/// are one training.
struct TrainingKey {
    nlohmann::json learner, sampler;
    Seed seed;

    nlohmann::json json() const { return {{"learner", learner}, {"sampler", sampler}, {"seed", seed.value}}; }
    /// The canonical text: names sorted, shortest round-trip numbers.
    std::string text() const { return json().dump(); }
    friend bool operator==(const TrainingKey& a, const TrainingKey& b) { return a.text() == b.text(); }
};

/// One combination to be evaluated: who is attacked, whose gradient it is, with what, on which class's test images.
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
    std::string text() const { return json().dump(); }
    friend bool operator==(const CellKey& a, const CellKey& b) { return a.text() == b.text(); }
};

}  // namespace SKEWGRAD_NAMESPACE
