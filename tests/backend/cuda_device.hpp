// The device that tests of the CUDA backend run on: a GPU where nvcc compiles them, else the emulation.
#pragma once
#if defined(__CUDACC__)
#include <skewgrad/cuda.hpp>
#else
#include <skewgrad/backend/cuda/emulated.hpp>
#include <skewgrad/backend/cuda/operations.hpp>
#endif

namespace skewgrad_tests {

#if defined(__CUDACC__)
using Device = skewgrad::cuda::Nvidia;
#else
using Device = skewgrad::cuda::Emulated;
#endif
template <class P>
using OnDevice = skewgrad::cuda::Policy<P, Device>;

/// One context a precision for all tests.
template <class P>
typename OnDevice<P>::Context device() {
    static const typename OnDevice<P>::Context on;
    return on;
}

}  // namespace skewgrad_tests
