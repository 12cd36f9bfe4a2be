// A strict user's unit: built with -Wall -Wextra -Werror and a plain -I, without OpenMP, and with BLAS' C interface
// beside the front door, which therefore must not bring one of its own.
#include <cblas.h>

#include "consumer.cpp"

static_assert(CblasRowMajor == 101);
