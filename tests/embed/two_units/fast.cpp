// The unit with every flag a user might add for speed.
#include "same.hpp"

std::vector<std::uint32_t> compute_fast() { return compute(3); }
