// Opens the code region of one instruction set, named by SKEWGRAD_ISA_PORTABLE, SKEWGRAD_ISA_AVX2 or
// SKEWGRAD_ISA_AVX512: its namespace, the compiler's target, and exact arithmetic. isa/end.hpp closes it.
// Included once per set on purpose, so without a guard. Between the two stand no standard header, no parallel region
// and no attribute on a lambda: standard templates would be compiled for this set and then shared with all others,
// and clang and nvcc lose the target in the other two.

// Options first: the namespace's functions must be inside. fp-contract=off keeps a*b+c as written, whatever -march
// the user gives; fused multiply-adds are written out. O3 makes them fast at any -O of the user's, but without g++'s
// own vectors: kernels write theirs, and it would turn what is left into gathers, several times slower than scalars.
#if defined(__clang__)
#if defined(SKEWGRAD_ISA_AVX512)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma"))), \
                             apply_to = function)
#elif defined(SKEWGRAD_ISA_AVX2)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#endif
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpsabi"
#else
#pragma GCC push_options
#pragma GCC optimize("O3,fp-contract=off,no-tree-vectorize")
#if defined(SKEWGRAD_ISA_AVX512)
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#elif defined(SKEWGRAD_ISA_AVX2)
#pragma GCC target("avx2,fma")
#endif
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace SKEWGRAD_NAMESPACE {
namespace cpu {
#if defined(SKEWGRAD_ISA_AVX512)
namespace avx512 {
#elif defined(SKEWGRAD_ISA_AVX2)
namespace avx2 {
#elif defined(SKEWGRAD_ISA_PORTABLE)
namespace portable {
#else
#error "skewgrad: isa/begin.hpp needs SKEWGRAD_ISA_PORTABLE, SKEWGRAD_ISA_AVX2 or SKEWGRAD_ISA_AVX512"
#endif
