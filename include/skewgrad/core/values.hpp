// Reflection of aggregates (values): one function visits all fields, and a field without a name does not compile.
#pragma once
#include <array>
#include <concepts>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The names of a value's fields in files, in the order of the fields. A type declares
/// `static constexpr auto fields = names("epsilon", "steps");`; for a type from elsewhere, specialise `fields_of`.
template <std::size_t N>
using Names = std::array<const char*, N>;
constexpr auto names(std::convertible_to<const char*> auto... all) { return Names<sizeof...(all)>{all...}; }

/// The names of a type that has none.
struct Nameless {};
template <class T>
inline constexpr auto fields_of = [] {
    if constexpr (requires { T::fields; })
        return T::fields;
    else
        return Nameless{};
}();

namespace aggregate {

// Converts to every type except the aggregate itself, which would be a copy.
template <class Whole>
struct AnyField {
    template <class T>
        requires(!std::same_as<std::remove_cvref_t<T>, Whole>)
    operator T() const;
};
template <class T, class... Found>
constexpr std::size_t count_fields() {
    if constexpr (requires { T{Found{}..., AnyField<T>{}}; })
        return count_fields<T, Found..., AnyField<T>>();
    else
        return sizeof...(Found);
}
/// The number of fields of an aggregate. It cannot distinguish bases and built-in arrays from fields; a value has
/// neither.
template <class T>
    requires std::is_aggregate_v<std::remove_cv_t<T>>
inline constexpr std::size_t field_count = count_fields<std::remove_cv_t<T>>();

// Structured bindings are the language's only way to reach all fields, so each count needs one line.
template <class T>
constexpr auto tie(T& v) {
    constexpr std::size_t n = field_count<T>;
    static_assert(n <= 12, "skewgrad: a value of more than 12 fields; nest some, or add lines to aggregate::tie");
    if constexpr (n == 0) return std::tie();
#define SKEWGRAD_TIE(n_fields, ...)     \
    else if constexpr (n == n_fields) { \
        auto& [__VA_ARGS__] = v;        \
        return std::tie(__VA_ARGS__);   \
    }
    SKEWGRAD_TIE(1, a)
    SKEWGRAD_TIE(2, a, b)
    SKEWGRAD_TIE(3, a, b, c)
    SKEWGRAD_TIE(4, a, b, c, d)
    SKEWGRAD_TIE(5, a, b, c, d, e)
    SKEWGRAD_TIE(6, a, b, c, d, e, f)
    SKEWGRAD_TIE(7, a, b, c, d, e, f, g)
    SKEWGRAD_TIE(8, a, b, c, d, e, f, g, h)
    SKEWGRAD_TIE(9, a, b, c, d, e, f, g, h, i)
    SKEWGRAD_TIE(10, a, b, c, d, e, f, g, h, i, j)
    SKEWGRAD_TIE(11, a, b, c, d, e, f, g, h, i, j, k)
    SKEWGRAD_TIE(12, a, b, c, d, e, f, g, h, i, j, k, l)
#undef SKEWGRAD_TIE
}

}  // namespace aggregate

/// An aggregate that names its fields: a sampler, an attack, an optimiser, a recipe, a data protocol.
template <class T>
concept Value =
    std::is_aggregate_v<std::remove_cv_t<T>> && !std::same_as<decltype(fields_of<std::remove_cv_t<T>>), const Nameless>;

/// Calls visit(name, field) for every field, in order. Records, keys and checkpoints read a value only through this
/// function. The compiler counts the fields: a field without a name, or a name without a field, does not compile.
template <Value T, class Visit>
constexpr void for_each_value(T& v, Visit visit) {
    constexpr auto& all = fields_of<std::remove_cv_t<T>>;
    static_assert(all.size() == aggregate::field_count<T>,
                  "skewgrad: a value's `fields` must name every field once, in their order; what is not named would be "
                  "missing from keys and checkpoints");
    if constexpr (all.size() == aggregate::field_count<T>)
        [&]<std::size_t... I>(std::index_sequence<I...>, [[maybe_unused]] auto tied) {
            (visit(all[I], std::get<I>(tied)), ...);
        }(std::make_index_sequence<all.size()>{}, aggregate::tie(v));
}

}  // namespace SKEWGRAD_NAMESPACE
