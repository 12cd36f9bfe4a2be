// Checked access to JSON that was read from a file: every error names the file and the place.
#pragma once
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/text.hpp>
#include <skewgrad/store/json_text.hpp>

namespace SKEWGRAD_NAMESPACE {

/// A view of a document; the document must outlive it. Every function throws FileError if the entry is not what is
/// required: "run.json: hardware.2 is 7, must be an object".
class JsonEntry {
public:
    /// `place`: the position of the document itself, for messages; empty: a whole file.
    JsonEntry(const nlohmann::json& document, std::string source, std::string place = "")
        : value_(&document), source_(std::move(source)), place_(std::move(place)) {}

    const nlohmann::json& json() const noexcept { return *value_; }
    const std::string& source() const noexcept { return source_; }
    [[noreturn]] void refuse(const std::string& must_be) const {
        throw FileError(source_, (place_.empty() ? "it" : printable(place_, 120)) + " is " + shown_json(value_) +
                                     ", must be " + must_be);
    }

    const JsonEntry& object() const {
        if (!value_->is_object()) refuse("an object");
        return *this;
    }
    bool has(const std::string& key) const { return object().value_->contains(key); }
    JsonEntry at(const std::string& key) const {
        const auto found = object().value_->find(key);
        if (found == value_->end())
            throw FileError(source_, (place_.empty() ? "it" : printable(place_, 120)) + " has no " + in_quotes(key));
        return below(*found, key);
    }
    std::vector<std::pair<std::string, JsonEntry>> members() const {
        std::vector<std::pair<std::string, JsonEntry>> all;
        for (const auto& [key, value] : object().value_->items()) all.emplace_back(key, below(value, key));
        return all;
    }
    std::vector<JsonEntry> list() const {
        if (!value_->is_array()) refuse("a list");
        std::vector<JsonEntry> all;
        for (const auto& value : *value_) all.push_back(below(value, std::to_string(all.size())));
        return all;
    }

    const std::string& text() const {
        if (!value_->is_string()) refuse("a text");
        return value_->get_ref<const std::string&>();
    }
    bool truth() const {
        if (!value_->is_boolean()) refuse("true or false");
        return value_->get<bool>();
    }
    /// An integer from `least` to `most`, written as an integer (1e3 is refused).
    template <std::integral I>
    I whole(I least = std::numeric_limits<I>::min(), I most = std::numeric_limits<I>::max()) const {
        const auto in_range = [&](auto n) { return std::cmp_less_equal(least, n) && std::cmp_less_equal(n, most); };
        const bool fits = value_->is_number_unsigned()  ? in_range(value_->get<std::uint64_t>())
                          : value_->is_number_integer() ? in_range(value_->get<std::int64_t>())
                                                        : false;
        if (!fits)
            refuse(least == most ? std::to_string(least)
                                 : "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        return value_->get<I>();
    }
    double number(double least = std::numeric_limits<double>::lowest(),
                  double most = std::numeric_limits<double>::max()) const {
        const double n = value_->is_number() ? value_->get<double>() : std::numeric_limits<double>::quiet_NaN();
        if (!(n >= least && n <= most)) {
            const bool any = least == std::numeric_limits<double>::lowest();
            refuse(any ? "a number" : "a number from " + shown(least) + (most < 1e300 ? " to " + shown(most) : " on"));
        }
        return n;
    }
    /// JSON has no infinity and no NaN: null stands for them, and is read as `otherwise`.
    double number_or(double otherwise, double least = std::numeric_limits<double>::lowest(),
                     double most = std::numeric_limits<double>::max()) const {
        return value_->is_null() ? otherwise : number(least, most);
    }

private:
    static std::string shown(double n) { return nlohmann::json(n).dump(); }
    JsonEntry below(const nlohmann::json& value, const std::string& key) const {
        return {value, source_, place_.empty() ? key : place_ + "." + key};
    }

    const nlohmann::json* value_;
    std::string source_, place_;
};

}  // namespace SKEWGRAD_NAMESPACE
