// The unit with hardly any flag.
#include "same.hpp"

Found compute_modest() { return compute(3); }
