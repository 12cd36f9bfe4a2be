// The best of an attack's iterates and restarts, image by image.
#pragma once
#include <cstdint>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Which iterate an attack returns: the last one; or, image by image, the first that reaches the goal, else the one
/// with the highest loss (lowest, descending).
enum class Keep : std::uint8_t { last, best };
inline const char* to_string(Keep keep) { return keep == Keep::last ? "last" : "best"; }

namespace attack {

/// The best iterate of one image so far.
struct Best {
    double score;          ///< its loss times the direction
    std::uint8_t reached;  ///< whether it reached the goal
};

/// Compares the iterate that was just scored with the best one and sets the flag of images where it is better. The
/// goal: away from the label (ascending), at it (descending). A loss that is not a number is never better.
struct Better {
    const double* losses;
    const std::uint8_t* correct;
    float direction;
    bool first;  ///< of the first iterate: every flag is set
    Best* best;
    std::uint8_t* flags;
    SKEWGRAD_FN void operator()(int n) const {
        const bool reached = (correct[n] != 0) == (direction < 0);
        const double score = static_cast<double>(direction) * losses[n];
        Best& b = best[n];
        const bool better = first || (!b.reached && (reached || score > b.score));
        if (better) b = {score, reached};
        flags[n] = better;
    }
};

}  // namespace attack
}  // namespace SKEWGRAD_NAMESPACE
