// Names for the claims: the kind of a network, the source of a gradient, and the method of an attack.
#pragma once
#include <cstddef>
#include <optional>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/values.hpp>

namespace SKEWGRAD_NAMESPACE::claims {

/// The training set of a network. `scarce` completes the square: balanced is (own count high, others' high), under
/// (low, high), over (high, low), scarce (low, low).
enum class Kind {
    balanced,
    under,
    over,
    scarce,             ///< every class at the small count, that of the skewed class in `under`
    sham,               ///< the balanced set with its own training seed
    under_adjusted,     ///< under, logits adjusted for the class frequencies after training (Menon et al. 2021)
    over_adjusted,      ///< likewise
    balanced_as_under,  ///< balanced, with the same total number of images as under
    balanced_as_over,   ///< balanced, with the same total number of images as over
};
/// The source of the gradient: the victim itself, a balanced network of another seed, or the balanced network of the
/// same seed, which shares the victim's initial weights.
enum class Gradient { own, other_seed, same_seed };
/// The attack method. The iterative attack is the projected one of 20 steps of a quarter of epsilon.
enum class Method {
    fast,
    iterative,
    permuted,  ///< another image's signs, same class and source
    random,    ///< several draws
    descent,
    fast_tenth,     ///< the fast attack with a tenth of the step
    iterative_far,  ///< the iterative attack at epsilon 0.25
};

inline bool skews(Kind kind) {
    return kind == Kind::under || kind == Kind::over || kind == Kind::under_adjusted || kind == Kind::over_adjusted;
}
inline const char* name_of(Kind kind) {
    constexpr const char* names[] = {"balanced",
                                     "under",
                                     "over",
                                     "scarce",
                                     "sham",
                                     "under, logits adjusted",
                                     "over, logits adjusted",
                                     "balanced at the size of under",
                                     "balanced at the size of over"};
    return names[static_cast<std::size_t>(kind)];
}
inline const char* name_of(Gradient gradient) {
    constexpr const char* names[] = {"its own gradient", "another seed's gradient", "the balanced network's gradient"};
    return names[static_cast<std::size_t>(gradient)];
}
inline const char* name_of(Method method) {
    constexpr const char* names[] = {"fast",    "iterative",           "permuted sign",    "random sign",
                                     "descent", "a tenth of the step", "iterative at 0.25"};
    return names[static_cast<std::size_t>(method)];
}

/// The name of a sampler's networks. `dose`: the skewed class's count if it differs from the study's own, else 0.
struct KindName {
    static constexpr auto fields = names("kind", "dose");
    Kind kind;
    int dose = 0;
    friend bool operator==(const KindName&, const KindName&) = default;
};
/// The name of an attack. `draw` distinguishes the draws of noise.
struct AttackName {
    static constexpr auto fields = names("method", "draw");
    Method method;
    int draw = 0;
    friend bool operator==(const AttackName&, const AttackName&) = default;
};

/// For readers: "under at 100 images", "random sign, draw 1".
inline std::string describe(const KindName& name) {
    return name_of(name.kind) + (name.dose == 0 ? "" : " at " + std::to_string(name.dose) + " images");
}
inline std::string describe(const AttackName& name) {
    return name_of(name.method) + (name.draw == 0 ? "" : ", draw " + std::to_string(name.draw));
}

/// The name of the same network with its logits adjusted; none for kinds that the claims do not know adjusted.
inline std::optional<KindName> adjusted(const KindName& name) {
    if (name.kind == Kind::under) return KindName{Kind::under_adjusted, name.dose};
    if (name.kind == Kind::over) return KindName{Kind::over_adjusted, name.dose};
    return std::nullopt;
}

}  // namespace SKEWGRAD_NAMESPACE::claims
