// Parameters that a stage keeps as they are in files: masters in canonical order.
#pragma once
#include <cstddef>

#include <skewgrad/backend/plan/site.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

template <class B>
struct CanonicalParameters {
    using Real = typename B::Real;
    using Sum = typename B::Sum;
    static void import_parameters(const Site<B>& site, const Real* canonical, Sum* masters) {
        for (std::size_t k = 0; k < site.canonical_size; ++k) masters[k] = static_cast<Sum>(canonical[k]);
    }
    static void export_parameters(const Site<B>& site, const Sum* masters, Real* canonical) {
        for (std::size_t k = 0; k < site.canonical_size; ++k) canonical[k] = static_cast<Real>(masters[k]);
    }
};

}  // namespace SKEWGRAD_NAMESPACE::plan
