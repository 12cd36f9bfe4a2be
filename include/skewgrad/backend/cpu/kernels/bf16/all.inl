// Every bf16 kernel of one instruction set, and their table. Included between isa/begin.hpp and isa/end.hpp, after the
// f32 kernels of the same set; the set that has none of those brings what they are built of, and the kernels of the set
// above it, which differ from it in one.
#if defined(SKEWGRAD_ISA_AVX512_BF16)
#include <skewgrad/backend/cpu/kernels/vector.inl>  // in this order

#include <skewgrad/backend/cpu/kernels/tile.inl>

#include <skewgrad/backend/cpu/kernels/dropout.inl>
#include <skewgrad/backend/cpu/kernels/pooling.inl>
#endif

#include <skewgrad/backend/cpu/kernels/bf16/pairs.inl>  // first: the others use it

#include <skewgrad/backend/cpu/kernels/bf16/convolution.inl>
#include <skewgrad/backend/cpu/kernels/bf16/dropout.inl>
#include <skewgrad/backend/cpu/kernels/bf16/weight_gradient.inl>
#include <skewgrad/backend/cpu/kernels/bf16/weights.inl>
#if defined(SKEWGRAD_ISA_AVX512_BF16)
#include <skewgrad/backend/cpu/kernels/bf16/amx.inl>
#include <skewgrad/backend/cpu/kernels/bf16/lines.inl>
#include <skewgrad/backend/cpu/kernels/bf16/tile_gradient.inl>
#include <skewgrad/backend/cpu/kernels/bf16/tiles.inl>
#endif

inline constexpr PairKernelTable pair_table{
    set,
    &convolve_all_pairs,
    &accumulate_pair_gradient,
    &pack_pairs,
    &pack_pairs_transposed,
    &pair_rows_of_images,
    &split,
    &drop_bf16,
    &max_pool<Bfloat16>,
    &max_pool_gradient<Bfloat16>,
    false,
    nullptr,
};
#if defined(SKEWGRAD_ISA_AVX512_BF16)
inline constexpr LineKernels amx_line_kernels{&lay_inputs, &lay_taps, &lay_slopes, &accumulate_by_tiles<AmxTiles>};
inline constexpr PairKernelTable amx_pair_table{
    InstructionSet::amx,
    &convolve_by_tiles<AmxTiles>,
    &accumulate_pair_gradient,
    &pack_pairs,
    &pack_pairs_transposed,
    &pair_rows_of_images,
    &split,
    &drop_bf16,
    &max_pool<Bfloat16>,
    &max_pool_gradient<Bfloat16>,
    true,
    &amx_line_kernels,
};
#endif
