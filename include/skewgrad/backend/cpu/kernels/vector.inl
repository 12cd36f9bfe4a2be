// The vector type of one instruction set and the few operations that the kernels need on it.

#if defined(SKEWGRAD_ISA_AVX512_BF16)
inline constexpr InstructionSet set = InstructionSet::avx512_bf16;
inline constexpr int lanes = 16;
#elif defined(SKEWGRAD_ISA_AVX512)
inline constexpr InstructionSet set = InstructionSet::avx512;
inline constexpr int lanes = 16;
#elif defined(SKEWGRAD_ISA_AVX2)
inline constexpr InstructionSet set = InstructionSet::avx2;
inline constexpr int lanes = 8;
#else
inline constexpr InstructionSet set = InstructionSet::portable;
inline constexpr int lanes = 4;
#endif
inline constexpr int block_vectors = channel_block / lanes;  // vectors in one block of channels

typedef float Vector __attribute__((vector_size(lanes * sizeof(float))));
typedef std::int32_t Mask __attribute__((vector_size(lanes * sizeof(float))));  // all ones where a comparison holds

// memcpy is how an unaligned load is spelled without claiming an alignment that is not there.
[[gnu::always_inline]] inline Vector load(const float* from) noexcept {
    Vector v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
[[gnu::always_inline]] inline void store(float* to, Vector v) noexcept { __builtin_memcpy(to, &v, sizeof v); }

// A list of lanes, because an arithmetic spelling such as x - zero would cost an instruction.
[[gnu::always_inline]] inline Vector broadcast(float x) noexcept {
#if defined(SKEWGRAD_ISA_AVX512)
    return Vector{x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x};
#elif defined(SKEWGRAD_ISA_AVX2)
    return Vector{x, x, x, x, x, x, x, x};
#else
    return Vector{x, x, x, x};
#endif
}

// a * b + c: rounded once where the set has fused multiply-adds, twice in the portable set (whatever -march says).
[[gnu::always_inline]] inline Vector multiply_add(Vector a, Vector b, Vector c) noexcept {
    SKEWGRAD_EXACT_BODY
#if defined(SKEWGRAD_ISA_AVX512)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(SKEWGRAD_ISA_AVX2)
    return _mm256_fmadd_ps(a, b, c);
#else
    Vector product = a * b;
#if defined(__clang__)  // with -ffp-contract=fast it fuses in spite of its own pragma: hide where the product comes
                        // from
#if defined(__x86_64__)
    __asm__("" : "+x"(product));
#elif defined(__aarch64__)
    __asm__("" : "+w"(product));
#endif
#endif
    return product + c;
#endif
}

[[gnu::always_inline]] inline Mask bits(Vector v) noexcept { return __builtin_bit_cast(Mask, v); }
[[gnu::always_inline]] inline Vector from_bits(Mask m) noexcept { return __builtin_bit_cast(Vector, m); }

// where the mask is set a, elsewhere b
[[gnu::always_inline]] inline Vector select(Mask where, Vector a, Vector b) noexcept {
    return from_bits((where & bits(a)) | (~where & bits(b)));
}
