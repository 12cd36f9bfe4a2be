// The unit with hardly any flag.
#include "same.hpp"

std::vector<std::uint32_t> compute_modest() { return compute(1); }
