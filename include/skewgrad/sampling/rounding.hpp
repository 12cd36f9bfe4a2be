// From a real number of images to a whole one, for the samplers that are given by a ratio.
#pragma once
#include <cmath>
#include <string>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE {

/// floor(images), where a value that misses an integer from below by less than a millionth counts as that integer:
/// 5000 * 10^-1 is 500 images, whatever the last bit of the power is.
inline int whole_images(double images) { return static_cast<int>(std::floor(images + 1e-6)); }

/// A finite ratio of at least 1. @throws ValueError otherwise (also where it was not given: the default is 0).
inline double checked_ratio(double ratio, const std::string& sampler) {
    if (!(ratio >= 1 && ratio <= 1e9))
        throw ValueError(sampler + ": .ratio is " + std::to_string(ratio) + ", between 1 and 1e9 needed");
    return ratio;
}

}  // namespace SKEWGRAD_NAMESPACE
