// Values as canonical JSON: for records, and for comparing keys and checkpoints.
#pragma once
#include <charconv>
#include <concepts>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/core/values.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The double nearest to the shortest decimal of a float: .01f is written 0.01. Different floats stay different.
inline double shortest_decimal(float x) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, x).ptr;
    double y = 0;
    std::from_chars(text, end, y);
    return y;
}

template <class T>
nlohmann::json value_json(const T& field);

/// A value's fields as an object, nested values included.
template <Value T>
nlohmann::json fields_json(const T& value) {
    nlohmann::json object = nlohmann::json::object();
    for_each_value(value, [&](const char* name, const auto& one) { object[name] = value_json(one); });
    return object;
}

/// Name and fields: {"name": T::name, "values": {...}}. The direction of an attack, a part of its type, is among the
/// values.
template <Value T>
nlohmann::json named_json(const T& value) {
    nlohmann::json values = fields_json(value);
    if constexpr (requires { T::direction; }) values["direction"] = T::direction;
    return {{"name", T::name}, {"values", std::move(values)}};
}

/// A field: a nested value by its name, where it has one, and its fields; anything else as it is. Labels are numbers,
/// seeds their 64 bits, enumerations the words that their `to_string` gives, an empty optional is null.
template <class T>
nlohmann::json value_json(const T& field) {
    if constexpr (Value<const T> && requires { T::name; }) {
        return named_json(field);
    } else if constexpr (Value<const T>) {
        return fields_json(field);
    } else if constexpr (std::same_as<T, Label>) {
        return index(field);
    } else if constexpr (std::same_as<T, Seed>) {
        return field.value;
    } else if constexpr (std::same_as<T, float>) {
        return shortest_decimal(field);
    } else if constexpr (std::is_enum_v<T>) {
        return to_string(field);
    } else if constexpr (requires { typename T::mapped_type; }) {
        nlohmann::json object = nlohmann::json::object();
        for (const auto& [key, one] : field) {
            if constexpr (std::same_as<typename T::key_type, Label>)
                object[std::to_string(index(key))] = value_json(one);
            else
                object[key] = value_json(one);
        }
        return object;
    } else if constexpr (requires { field.has_value(); }) {
        return field ? value_json(*field) : nlohmann::json();
    } else if constexpr (!std::convertible_to<T, std::string> && requires { field.begin(); }) {
        nlohmann::json list = nlohmann::json::array();
        for (const auto& one : field) list.push_back(value_json(one));
        return list;
    } else {
        return field;
    }
}

}  // namespace SKEWGRAD_NAMESPACE
