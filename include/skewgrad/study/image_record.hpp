// Results of one cell: a record for each image, and the accuracy at each epsilon of a sweep.
#pragma once
#include <cstdint>
#include <limits>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/label.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/ratio.hpp>

namespace SKEWGRAD_NAMESPACE {

struct ImageRecord {
    std::uint32_t item = 0;  ///< of the test store
    Outcome clean, attacked;
    double gradient_norm1 = 0;     ///< sum of |dL/dx| over pixels, of the source at the clean image
    bool zero_gradient = false;    ///< whether all of it is 0
    std::int32_t zero_pixels = 0;  ///< pixels whose gradient is 0
    double smallest_epsilon = std::numeric_limits<double>::quiet_NaN();  ///< that flips the image; NaN: not measured
    /// The cosine of the source's gradient and the victim's own, and the proportion of pixels whose signs agree.
    /// NaN if the source is the victim, if a gradient is 0, or if it was not measured.
    double cosine = std::numeric_limits<double>::quiet_NaN();
    double sign_agreement = std::numeric_limits<double>::quiet_NaN();
};

/// The victim's correct predictions at one epsilon along the attack's direction.
struct SweepPoint {
    float epsilon = 0;
    Ratio accuracy;
};

struct CellResult {
    std::vector<ImageRecord> images;  ///< the attacked class's test images, in order
    std::vector<SweepPoint> sweep;    ///< for the fast attack up the loss if the study sweeps; else empty
};

}  // namespace SKEWGRAD_NAMESPACE
