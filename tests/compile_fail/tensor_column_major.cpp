// Tensors that are column-major by default would be read as other images: refused, and the macro is named.
// expects: XTENSOR_DEFAULT_LAYOUT must be row_major
#ifdef SKEWGRAD_MUST_FAIL
#define XTENSOR_DEFAULT_LAYOUT ::xt::layout_type::column_major
#endif
#include <skewgrad/model/concepts.hpp>

// One tensor in another layout is converted when it is passed.
double sum(const xt::xtensor<float, 4>& x);
using Passed = decltype(sum(xt::xtensor<float, 4, xt::layout_type::column_major>{}));
