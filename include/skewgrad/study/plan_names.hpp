// Names for the claims in a plan: those that the study gives, then the defaults that are still free.
#pragma once
#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/claims/names.hpp>
#include <skewgrad/study/to_plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Whether two kinds can have a network of the same class, or of none.
inline bool share_a_class(const KindToPlan& a, const KindToPlan& b) { return !a.only || !b.only || a.only == b.only; }
inline bool share_a_class(const AttackToPlan&, const AttackToPlan&) { return true; }

/// The names that the study gives, none for the others. Throws ValueError if two elements are called the same.
/// @param list the field of Study, for messages
template <class Element>
auto called_names(const std::vector<Element>& elements, const std::string& list) {
    std::vector<decltype(Element{}.name.called)> names;
    for (const Element& element : elements) {
        const auto& name = element.name.called;
        for (std::size_t i = 0; name && i < names.size(); ++i)
            if (names[i] == name && share_a_class(elements[i], element))
                throw ValueError("Study::" + list + ": numbers " + std::to_string(i) + " and " +
                                 std::to_string(names.size()) + " are both called \"" + describe(*name) + "\"");
        names.push_back(name);
    }
    return names;
}

/// The count that has no dose: that of the first sampler whose default is this kind and that is called nothing else.
inline int own_count(const std::vector<KindToPlan>& kinds, claims::Kind kind) {
    for (const KindToPlan& k : kinds)
        if (k.name.by_default && k.name.by_default->kind == kind &&
            k.name.called.value_or(claims::KindName{kind}) == claims::KindName{kind})
            return k.name.by_default->dose;
    return 0;
}

/// The name of each kind of network; none for those that no claim uses. A default that an earlier kind has already is
/// not given again. Throws ValueError for two equal names, and for a name that says something else of the skewed class
/// than the sampler.
inline std::vector<std::optional<claims::KindName>> kind_names(const std::vector<KindToPlan>& kinds) {
    auto names = called_names(kinds, "samplers");
    for (std::size_t k = 0; k < kinds.size(); ++k) {
        if (names[k] && claims::skews(names[k]->kind) != kinds[k].skews)
            throw ValueError("Study::samplers: number " + std::to_string(k) + " is called \"" + describe(*names[k]) +
                             "\", but it has " + (kinds[k].skews ? "a" : "no") + " skewed class");
        if (names[k] || !kinds[k].name.by_default) continue;
        claims::KindName name = *kinds[k].name.by_default;
        if (name.dose == own_count(kinds, name.kind)) name.dose = 0;
        bool taken = false;
        for (std::size_t i = 0; i < kinds.size(); ++i)
            taken = taken || (names[i] == name && share_a_class(kinds[i], kinds[k]));
        if (!taken) names[k] = name;
    }
    return names;
}

/// The name of each attack; none for those that no claim uses. Noise without a name is another draw each time; of other
/// attacks with one default the first has it. Throws ValueError for two equal names.
inline std::vector<std::optional<claims::AttackName>> attack_names(const std::vector<AttackToPlan>& attacks) {
    auto names = called_names(attacks, "attacks");
    for (std::size_t a = 0; a < attacks.size(); ++a) {
        if (names[a] || !attacks[a].name.by_default) continue;
        claims::AttackName name = *attacks[a].name.by_default;
        const auto taken = [&] { return std::ranges::find(names, std::optional(name)) != names.end(); };
        while (name.method == claims::Method::random && taken()) ++name.draw;
        if (!taken()) names[a] = name;
    }
    return names;
}

}  // namespace SKEWGRAD_NAMESPACE::study
