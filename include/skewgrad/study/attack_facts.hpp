// What an attack says of itself to a study, with the defaults for what it does not say.
#pragma once
#include <skewgrad/attack/attack.hpp>
#include <skewgrad/data/dataset.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Whether an attack asks a model for anything: noise is the same whatever the source, so that it has one cell for each
/// victim. Default: it does.
template <class A>
inline constexpr bool uses_model = !requires { requires !A::uses_model; };

/// Whether smallest epsilons and sweeps are measured along this attack's direction. Default: they are not.
template <class A>
inline constexpr bool has_direction = requires { requires A::has_direction; };

/// The number of gradients that an attack computes beyond the one that its source's cells share. Default: it does not
/// use that one.
template <class A>
int further_gradients(const A& attack) {
    const int all = attack.passes().backward;
    if constexpr (requires { attack.takes_gradient(); }) return attack.takes_gradient() ? all - 1 : all;
    return all;
}

/// Throws ValueError if an attack that makes an image's perturbation of other images lacks them among these. Default:
/// any images will do.
template <class A>
void check_images_of(const A& attack, const TestData& of_class) {
    if constexpr (requires { attack.check(of_class); }) attack.check(of_class);
}

}  // namespace SKEWGRAD_NAMESPACE::study
