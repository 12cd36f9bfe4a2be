// The unit with every flag a user might add for speed.
#include "same.hpp"

Found compute_fast() { return compute(2); }
