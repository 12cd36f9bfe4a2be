// JSON files that carry a digest of themselves, and where two JSON values differ.
#pragma once
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/digest.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Where two JSON values first differ.
struct JsonDifference {
    std::string place;          ///< keys from the top, joined by dots: "recipe.looks"
    std::string first, second;  ///< what stands there, as JSON; "nothing" where it is missing
};

namespace json_file {

inline std::string shown(const nlohmann::json* value) {
    if (value == nullptr) return "nothing";
    const std::string text = value->dump();
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

}  // namespace json_file

/// The first place, in the order of keys, at which `a` and `b` differ; none where they are equal.
inline std::optional<JsonDifference> first_difference(const nlohmann::json& a, const nlohmann::json& b,
                                                      const std::string& place = "") {
    if (a == b) return std::nullopt;
    const auto below = [&](const std::string& key) { return place.empty() ? key : place + "." + key; };
    const auto compare = [&](const nlohmann::json* x, const nlohmann::json* y, const std::string& at) {
        if (x != nullptr && y != nullptr) return first_difference(*x, *y, at);
        return std::optional<JsonDifference>({at, json_file::shown(x), json_file::shown(y)});
    };
    if (a.is_object() && b.is_object()) {
        for (const auto& [key, value] : a.items()) {
            const nlohmann::json* other = b.contains(key) ? &b.at(key) : nullptr;
            if (auto found = compare(&value, other, below(key))) return found;
        }
        for (const auto& [key, value] : b.items())
            if (!a.contains(key)) return compare(nullptr, &value, below(key));
    }
    if (a.is_array() && b.is_array())
        for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
            if (auto found = compare(i < a.size() ? &a[i] : nullptr, i < b.size() ? &b[i] : nullptr,
                                     below(std::to_string(i))))
                return found;
    return JsonDifference{place, json_file::shown(&a), json_file::shown(&b)};
}

/// Writes an object whole, with a digest of its other entries under "digest".
/// Throws FileError as `write_whole_file` does.
inline void write_json(const std::filesystem::path& path, nlohmann::json object) {
    object.erase("digest");
    object["digest"] = Digest().text(object.dump()).hex();
    write_whole_file(path, object.dump(1) + "\n");
}

/// Reads what `write_json` wrote, without the digest. Throws FileError where the file cannot be read, is no such
/// object, or has been changed since.
inline nlohmann::json read_json(const std::filesystem::path& path) {
    nlohmann::json object = nlohmann::json::parse(read_whole_text(path), nullptr, false);
    if (object.is_discarded() || !object.is_object()) throw FileError(path.string(), "is damaged: it is no JSON object");
    if (!object.contains("digest") || !object["digest"].is_string())
        throw FileError(path.string(), "is foreign or damaged: it has no digest");
    const std::string digest = object["digest"];
    object.erase("digest");
    if (digest != Digest().text(object.dump()).hex())
        throw FileError(path.string(), "is damaged: its content does not match its digest " + digest);
    return object;
}

}  // namespace SKEWGRAD_NAMESPACE
