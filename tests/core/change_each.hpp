// Changes one field of a value after the other, nested values included.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <type_traits>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/core/values.hpp>

namespace skewgrad_tests {

/// Calls changed(path) with each field of `v` in turn holding another value, and puts back what was there.
template <class T>
void change_each(T& v, const std::string& path, const auto& changed) {
    using namespace skewgrad;
    const auto with = [&](T other) {
        const T kept = v;
        v = other;
        changed(path);
        v = kept;
    };
    if constexpr (Value<T>)
        for_each_value(v, [&](const char* name, auto& field) { change_each(field, path + "." + name, changed); });
    else if constexpr (std::is_same_v<T, bool>)
        with(!v);
    else if constexpr (std::is_enum_v<T>)
        with(static_cast<T>(static_cast<long long>(v) + 1));
    else if constexpr (std::is_same_v<T, Seed>)
        with(Seed{v.value + 1});
    else if constexpr (std::is_same_v<T, std::optional<int>>)
        with(v ? std::optional<int>(*v + 1) : std::optional<int>(1));
    else if constexpr (std::is_same_v<T, std::map<Label, int>>) {
        T more = v;
        ++more[Label{1}];
        with(more);
    } else if constexpr (std::is_arithmetic_v<T>)
        with(static_cast<T>(v > 1 ? v + v : v + 1));
    else
        static_assert(sizeof(T) == 0, "change_each does not know how to change a field of this type");
}

}  // namespace skewgrad_tests
