// Likewise where elements are visited column by column by default.
// expects: XTENSOR_DEFAULT_TRAVERSAL must be row_major
#ifdef SKEWGRAD_MUST_FAIL
#define XTENSOR_DEFAULT_TRAVERSAL ::xt::layout_type::column_major
#endif
#include <skewgrad/data/dataset.hpp>
