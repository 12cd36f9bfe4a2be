// The one file of macros: the library's namespace, device marks, and what a user's flags may not change.
#pragma once

#if defined(__FAST_MATH__) && !defined(SKEWGRAD_ALLOW_FAST_MATH)
#error "skewgrad: -ffast-math changes results; define SKEWGRAD_ALLOW_FAST_MATH to accept that"
#endif

// Units built with different flags must not share inline functions whose meaning those flags change
// (threads, assertions, fast-math): the flags are part of every symbol's name, one letter each:
// o OpenMP or t std::thread, c checked or u unchecked, i IEEE or f fast-math.
#if defined(_OPENMP)
#define SKEWGRAD_THREADS_TAG o
#else
#define SKEWGRAD_THREADS_TAG t
#endif
#if defined(NDEBUG)
#define SKEWGRAD_ASSERT_TAG u
#else
#define SKEWGRAD_ASSERT_TAG c
#endif
#if defined(__FAST_MATH__)
#define SKEWGRAD_MATH_TAG f
#else
#define SKEWGRAD_MATH_TAG i
#endif
#define SKEWGRAD_JOIN_TAGS(a, b, c) flags_##a##b##c
#define SKEWGRAD_EXPAND_TAGS(a, b, c) SKEWGRAD_JOIN_TAGS(a, b, c)
#define SKEWGRAD_FLAGS SKEWGRAD_EXPAND_TAGS(SKEWGRAD_THREADS_TAG, SKEWGRAD_ASSERT_TAG, SKEWGRAD_MATH_TAG)

// Every header opens `namespace SKEWGRAD_NAMESPACE { ... }`; users write plain `skewgrad::`.
#define SKEWGRAD_NAMESPACE skewgrad::inline SKEWGRAD_FLAGS

// Marks functions that a GPU kernel may call: a user's layers, losses, optimisers' formulas.
#if defined(__CUDACC__)
#define SKEWGRAD_FN __host__ __device__
#else
#define SKEWGRAD_FN
#endif

// Arithmetic whose bits are promised stands between these two: no a*b+c becomes a fused multiply-add
// because of a user's -march. clang wants the second mark at the top of each function body as well.
#if defined(__clang__)
#define SKEWGRAD_EXACT_BEGIN
#define SKEWGRAD_EXACT_END
#define SKEWGRAD_EXACT_BODY _Pragma("clang fp contract(off)")
#elif defined(__GNUC__)
#define SKEWGRAD_EXACT_BEGIN _Pragma("GCC push_options") _Pragma("GCC optimize(\"fp-contract=off\")")
#define SKEWGRAD_EXACT_END _Pragma("GCC pop_options")
#define SKEWGRAD_EXACT_BODY
#else
#define SKEWGRAD_EXACT_BEGIN
#define SKEWGRAD_EXACT_END
#define SKEWGRAD_EXACT_BODY
#endif
