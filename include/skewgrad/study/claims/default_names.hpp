// Default names for the claims, by the type of a sampler or an attack that the study does not call otherwise.
#pragma once
#include <optional>

#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/sampling/samplers.hpp>
#include <skewgrad/study/claims/names.hpp>
#include <skewgrad/study/sham.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// The name of a sampler's networks; none for most samplers. The dose is the count of the skewed class. Planning makes
/// it 0 where it is the study's own (study/plan_names.hpp).
template <class S>
std::optional<KindName> default_name_of_sampler(const S&) {
    return std::nullopt;
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<Balanced>& sampler) {
    return sampler.count ? std::nullopt : std::optional(KindName{Kind::balanced});
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<Under>& sampler) {
    return KindName{Kind::under, sampler.count};
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<UnderInFileOrder>& sampler) {
    return KindName{Kind::under, sampler.count};
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<Over>& sampler) {
    return KindName{Kind::over, sampler.count};
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<OverInFileOrder>& sampler) {
    return KindName{Kind::over, sampler.count};
}
inline std::optional<KindName> default_name_of_sampler(const Sampler<Sham>&) { return KindName{Kind::sham}; }

/// The name of an attack; none for most attacks, and for one that aims at another label than the true one.
template <class A>
std::optional<AttackName> default_name_of_attack(const A&) {
    return std::nullopt;
}
template <Loss L>
std::optional<AttackName> default_name_of_attack(const Attack<FGSM, Ascent, L>& attack) {
    return attack.label == LabelSource::True ? std::optional(AttackName{Method::fast}) : std::nullopt;
}
template <Loss L>
std::optional<AttackName> default_name_of_attack(const Attack<FGSM, Descent, L>& attack) {
    return attack.label == LabelSource::True ? std::optional(AttackName{Method::descent}) : std::nullopt;
}
template <Loss L>
std::optional<AttackName> default_name_of_attack(const Attack<PermutedSign, Ascent, L>&) {
    return AttackName{Method::permuted};
}
template <Direction D, Loss L>
std::optional<AttackName> default_name_of_attack(const Attack<RandomSign, D, L>&) {
    return AttackName{Method::random};
}

}  // namespace SKEWGRAD_NAMESPACE::claims
