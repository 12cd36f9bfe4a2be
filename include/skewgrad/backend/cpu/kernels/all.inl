// Every kernel of one instruction set, and their table. Included between isa/begin.hpp and isa/end.hpp.
#include <skewgrad/backend/cpu/kernels/vector.inl>  // first: the others use it

#include <skewgrad/backend/cpu/kernels/tile.inl>  // then what the products are summed in

#include <skewgrad/backend/cpu/kernels/convolution.inl>
#include <skewgrad/backend/cpu/kernels/dropout.inl>
#include <skewgrad/backend/cpu/kernels/pooling.inl>
#include <skewgrad/backend/cpu/kernels/weight_gradient.inl>
#include <skewgrad/backend/cpu/kernels/weights.inl>
#include <skewgrad/backend/cpu/kernels/winograd.inl>

inline constexpr KernelTable table{
    set,
    &convolve,
    &accumulate_weight_gradient,
    &transpose_weights,
    &max_pool<float>,
    &max_pool_gradient<float>,
    &drop,
    &winograd_to_input,
    &winograd_to_gradient,
    &winograd_to_output,
    &winograd_to_weights,
    &winograd_to_weight_gradient,
};
