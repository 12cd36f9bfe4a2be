// Closes what isa/begin.hpp opened.
}  // namespace portable, avx2 or avx512
}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE

#if defined(__clang__)
#pragma clang diagnostic pop
#if !defined(SKEWGRAD_ISA_PORTABLE)
#pragma clang attribute pop
#endif
#else
#pragma GCC diagnostic pop
#pragma GCC pop_options
#endif

#undef SKEWGRAD_ISA_PORTABLE
#undef SKEWGRAD_ISA_AVX2
#undef SKEWGRAD_ISA_AVX512
