// Which images an attack takes: finite pixels, in [0, 1] where it clips to that.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/error.hpp>
#include <skewgrad/core/number.hpp>
#include <skewgrad/model/pixels.hpp>

namespace SKEWGRAD_NAMESPACE::attack {

/// Throws ValueError for a pixel that is not finite and, where the attack clips, for pixels outside [0, 1]: clipped
/// they would be other images at epsilon 0 already. The least and the greatest are named with their places.
template <class Real>
void check_images(const char* attack, const xt::xtensor<Real, 4>& x, bool clip) {
    if (clip && checks::all_in_unit_interval(x.data(), x.size())) return;
    checks::finite_pixels(attack, x);
    if (!clip) return;
    const Real *first = x.data(), *end = first + x.size();
    const Real *least = std::min_element(first, end), *greatest = std::max_element(first, end);
    const auto named = [&](const Real* pixel) {
        return shortest(*pixel) + " (" + checks::place_of(x, static_cast<std::size_t>(pixel - first)) + ")";
    };
    const bool bytes = *least >= 0 && *greatest > 2 && *greatest <= 255;
    throw ValueError(std::string(attack) + ": the pixels go from " + named(least) + " to " + named(greatest) +
                     ", they must lie in [0, 1] where the attack clips to it; " +
                     (bytes ? "divide by 255 if these are bytes" : "attack other images with .clip off"));
}

}  // namespace SKEWGRAD_NAMESPACE::attack
