// What a study adds to an element of its lists: a name for the claims, or that an attack is a self-check.
#pragma once
#include <type_traits>
#include <utility>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/values.hpp>
#include <skewgrad/sampling/sampler.hpp>
#include <skewgrad/study/claims/names.hpp>

namespace SKEWGRAD_NAMESPACE {

/// An attack run only with the victim's own gradient, as a check of the study itself (By<..., AsSelfCheck<A>>). It has
/// no name for the claims unless it is called by one: Called<AsSelfCheck<A>>.
template <Value A>
struct AsSelfCheck {
    static constexpr auto fields = names("attack");
    A attack{};
};

/// A sampler or an attack under this name for the claims, in place of the default of its type
/// (claims/default_names.hpp): `Called<Sampler<Balanced>>{{claims::Kind::scarce}, {.count = 900}}` in On<...>,
/// `Called<Attack<PGD>>{{claims::Method::iterative}, {.epsilon = 0.01f}}` in By<...>. The name is in no key and no
/// file.
template <Value T>
struct Called {
    std::conditional_t<IndexSampler<T>, claims::KindName, claims::AttackName> name;
    T value{};
};

namespace study {

/// The sampler or the attack itself.
template <class T>
const T& plain(const T& element) {
    return element;
}
template <class A>
const A& plain(const AsSelfCheck<A>& check) {
    return check.attack;
}
template <class T>
const auto& plain(const Called<T>& called) {
    return plain(called.value);
}
template <class T>
using Plain = std::remove_cvref_t<decltype(plain(std::declval<const T&>()))>;

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
