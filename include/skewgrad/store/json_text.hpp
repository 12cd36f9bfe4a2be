// JSON as text: parsing with limits and without duplicate keys, writing of UTF-8 only. Every failure is an Error.
#pragma once
#include <cstddef>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/text.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Limits of a parsed text. JSON is copied, compared and written by recursion, so its depth uses stack.
struct JsonLimits {
    std::size_t bytes = std::size_t{64} << 20;
    int depth = 64;
};

/// Parses a text that was read from `source`; `what` names the part of it in messages: "its header". Throws FileError
/// if it is not JSON, has text that is not UTF-8, a number out of range or a duplicate key, or exceeds the limits.
inline nlohmann::json parse_json(std::string_view text, const std::string& source, const std::string& what = "it",
                                 JsonLimits limits = {}) {
    if (text.size() > limits.bytes)
        throw FileError(source, what + " is JSON of " + std::to_string(text.size()) + " bytes, at most " +
                                    std::to_string(limits.bytes) + " are read");
    std::vector<std::set<std::string>> open_objects;
    const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& parsed) {
        using enum nlohmann::json::parse_event_t;
        if (depth >= limits.depth && (event == object_start || event == array_start))
            throw FileError(source, what + " is JSON nested more than " + std::to_string(limits.depth) + " deep");
        if (event == object_start) open_objects.emplace_back();
        if (event == object_end) open_objects.pop_back();
        if (event == key && !open_objects.back().insert(parsed.get<std::string>()).second)
            throw FileError(source, what + " names " + in_quotes(parsed.get_ref<const std::string&>()) + " twice");
        return true;
    };
    try {
        return nlohmann::json::parse(text.begin(), text.end(), watch);
    } catch (const nlohmann::json::parse_error& problem) {
        throw FileError(source, what + " is no JSON from its byte " + std::to_string(problem.byte) + " on");
    } catch (const nlohmann::json::exception&) {
        throw FileError(source, what + " is JSON with a number out of range");
    }
}

/// JSON as text, in the format of `dump(indent)`. Throws ValueError that names a text that is not UTF-8.
template <class Json>
std::string json_text(const Json& value, int indent = -1) {
    try {
        return value.dump(indent);
    } catch (const nlohmann::json::exception&) {
        const auto refuse = [](const std::string& text) {
            if (const std::size_t at = first_not_utf8(text); at != std::string::npos)
                throw ValueError("the text " + in_quotes(text) + " is no UTF-8 from its byte " +
                                 std::to_string(at + 1) + " on, so it cannot be written as JSON");
        };
        const Json flat = value.flatten();
        for (const auto& [place, text] : flat.items()) {
            refuse(place);
            if (text.is_string()) refuse(text.template get<std::string>());
        }
        throw ValueError("a text is no UTF-8, so it cannot be written as JSON");
    }
}

/// JSON for a message: on one line, cut if it is long. "nothing" for a null pointer.
inline std::string shown_json(const nlohmann::json* value) {
    return value == nullptr ? "nothing" : printable(json_text(*value), 57);
}

}  // namespace SKEWGRAD_NAMESPACE
