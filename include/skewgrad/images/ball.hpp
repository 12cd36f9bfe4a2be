// The set that an attack's images stay in: a ball around each image, and the range of pixels.
#pragma once
#include <skewgrad/backend/pixels.hpp>

namespace SKEWGRAD_NAMESPACE::images {

/// |x - origin| <= radius in the attack's norm, image by image, and [0, 1] where `clip` is set.
template <class R>
struct Ball {
    PixelOrder order;
    const R* origin;
    const R* radius;  ///< one an image
    bool clip;

    SKEWGRAD_FN R least() const { return clip ? R(0) : -static_cast<R>(__builtin_huge_val()); }
    SKEWGRAD_FN R most() const { return clip ? R(1) : static_cast<R>(__builtin_huge_val()); }
};

}  // namespace SKEWGRAD_NAMESPACE::images
