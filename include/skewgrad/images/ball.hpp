// The set that an attack's images stay in: a ball around each image, and the range of pixels.
#pragma once
#include <limits>

#include <skewgrad/backend/pixels.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// |x - origin| <= radius in the attack's norm, image by image, and [0, 1] where `clip` is set.
template <class R>
struct Ball {
    PixelOrder order;
    const R* origin;
    const R* radius;  ///< one an image
    bool clip;

    SKEWGRAD_FN R least() const { return clip ? R(0) : -std::numeric_limits<R>::infinity(); }
    SKEWGRAD_FN R most() const { return clip ? R(1) : std::numeric_limits<R>::infinity(); }
};

}  // namespace SKEWGRAD_NAMESPACE::images
