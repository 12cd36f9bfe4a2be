// Notes that say what made a file: expected when it is read again, and what differs is named.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/json_file.hpp>
#include <skewgrad/store/tensor.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Texts by name, kept in a safetensors file's __metadata__.
using Notes = std::map<std::string, std::string>;

/// Throws FileError where the file lacks one of the notes or says something else in it; of two JSON texts it names the
/// entry that differs.
inline void check_notes(const TensorFile& file, const Notes& expected) {
    for (const auto& [key, wanted] : expected) {
        const std::string& found = file.note(key);
        if (found == wanted) continue;
        const auto a = nlohmann::json::parse(found, nullptr, false), b = nlohmann::json::parse(wanted, nullptr, false);
        const auto difference = a.is_discarded() || b.is_discarded() ? JsonDifference{"", found, wanted}
                                                                     : first_difference(a, b).value_or(JsonDifference{});
        throw FileError(file.source, "was made by something else: its note \"" + key + "\" says " +
                                         (difference.place.empty() ? "" : difference.place + " is ") +
                                         difference.first + ", not " + difference.second);
    }
}

}  // namespace SKEWGRAD_NAMESPACE
