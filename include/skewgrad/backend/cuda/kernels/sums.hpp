// What a block multiplies: two tiles in shared memory into sums that its threads hold. f32 by fused multiply-adds,
// bf16 by tensor cores, summed in f32.
#pragma once
#include <cstddef>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/cuda/kernels/operands.hpp>
#include <skewgrad/core/config.hpp>

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#error "skewgrad: the CUDA backend is for GPUs of compute capability 8.0 and later (nvcc -arch=sm_80, sm_90, ...)"
#endif
#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <mma.h>
#endif

namespace SKEWGRAD_NAMESPACE::cuda {

/// Where a tile's element (i, k) or (k, j) lies: rows of `row` elements.
enum class Order : unsigned char {
    rows_of_depth,    ///< (i, k) at i row + k
    rows_of_outputs,  ///< (i, k) at k row + i
};

inline constexpr int block_threads = 128;

/// The sums of a tile of rows x columns, dealt out over a block's threads; `stages` tiles of operands are on their way
/// or in use at a time. `add` takes tiles of `depth` products each:
/// left in either order, right as (k, j) at k row + j. `put` writes the tile to shared memory, rows of `row` floats.
template <class T, int rows, int columns>
class Sums;

// A thread holds `high` neighbouring rows of `groups` groups of four columns, so that what it reads from shared memory
// it uses many times, and a warp's threads read from all banks.
template <int rows, int columns>
class Sums<float, rows, columns> {
public:
    static constexpr int depth = 16, stages = 3;
    static constexpr int skew = 4;  ///< elements behind each row in shared memory, so that rows lie on other banks

    template <Order order, int left_row, int right_row>
    SKEWGRAD_FN void add(int thread, const float* left, const float* right) {
        const int i0 = thread / across * high, j0 = thread % across * 4;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int k = 0; k < depth; k += 4) {
            Vector<float> a[high];  // of four products
            if constexpr (order == Order::rows_of_depth) {
                for (int i = 0; i < high; ++i) a[i] = four(left + (i0 + i) * left_row + k);
            } else {
                for (int e = 0; e < 4; ++e)
                    for (int i = 0; i < high; ++i) a[i].at[e] = left[(k + e) * left_row + i0 + i];
            }
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
            for (int e = 0; e < 4; ++e)
                for (int g = 0; g < groups; ++g) {
                    const Vector<float> b = four(right + (k + e) * right_row + g * (columns / groups) + j0);
                    for (int i = 0; i < high; ++i)
                        for (int j = 0; j < 4; ++j) sums_[i][4 * g + j] += a[i].at[e] * b.at[j];
                }
        }
    }
    template <int row>
    SKEWGRAD_FN void put(int thread, float* tile) const {
        const int i0 = thread / across * high, j0 = thread % across * 4;
        for (int i = 0; i < high; ++i)
            for (int g = 0; g < groups; ++g)
                for (int j = 0; j < 4; ++j)
                    tile[(i0 + i) * row + g * (columns / groups) + j0 + j] = sums_[i][4 * g + j];
    }

private:
    static constexpr int groups = rows * columns >= 128 * 64 ? 2 : 1;
    static constexpr int across = columns / groups / 4, high = rows * across / block_threads;
    static_assert(high >= 1 && across * (rows / high) == block_threads);
    SKEWGRAD_FN static Vector<float> four(const float* at) { return *reinterpret_cast<const Vector<float>*>(at); }
    float sums_[high][4 * groups] = {};
};

#if defined(__CUDA_ARCH__)

// Four warps share the tile, two by two or one below the other; each holds fragments of 16 x 16.
template <int rows, int columns>
class Sums<Bfloat16, rows, columns> {
public:
    static constexpr int depth = 32, stages = 4;
    static constexpr int skew = 8;

    __device__ Sums() {
        for (int i = 0; i < high; ++i)
            for (int j = 0; j < wide; ++j) nvcuda::wmma::fill_fragment(sums_[i][j], 0.0f);
    }
    template <Order order, int left_row, int right_row>
    __device__ void add(int thread, const Bfloat16* left, const Bfloat16* right) {
        using namespace nvcuda;
        const int i0 = row_of(thread), j0 = column_of(thread);
        const auto* a = reinterpret_cast<const __nv_bfloat16*>(left);
        const auto* b = reinterpret_cast<const __nv_bfloat16*>(right);
        constexpr bool deep = order == Order::rows_of_depth;
        using InLeft = typename std::conditional<deep, wmma::row_major, wmma::col_major>::type;
#pragma unroll
        for (int k = 0; k < depth; k += 16) {
            wmma::fragment<wmma::matrix_a, 16, 16, 16, __nv_bfloat16, InLeft> l[high];
            wmma::fragment<wmma::matrix_b, 16, 16, 16, __nv_bfloat16, wmma::row_major> r[wide];
#pragma unroll
            for (int i = 0; i < high; ++i) {
                const int first = i0 + 16 * i;
                wmma::load_matrix_sync(l[i], a + (deep ? first * left_row + k : k * left_row + first), left_row);
            }
#pragma unroll
            for (int j = 0; j < wide; ++j) wmma::load_matrix_sync(r[j], b + k * right_row + j0 + 16 * j, right_row);
#pragma unroll
            for (int i = 0; i < high; ++i)
#pragma unroll
                for (int j = 0; j < wide; ++j) wmma::mma_sync(sums_[i][j], l[i], r[j], sums_[i][j]);
        }
    }
    template <int row>
    __device__ void put(int thread, float* tile) const {
        for (int i = 0; i < high; ++i)
            for (int j = 0; j < wide; ++j)
                nvcuda::wmma::store_matrix_sync(tile + (row_of(thread) + 16 * i) * row + column_of(thread) + 16 * j,
                                                sums_[i][j], row, nvcuda::wmma::mem_row_major);
    }

private:
    static constexpr int across = columns == 32 && rows > 32 ? 1 : 2, down = 4 / across;
    static constexpr int wide = columns / across / 16, high = rows / down / 16;
    static_assert(wide * across * 16 == columns && high * down * 16 == rows);
    static __device__ int row_of(int thread) { return thread / 32 / across * (16 * high); }
    static __device__ int column_of(int thread) { return thread / 32 % across * (16 * wide); }
    nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> sums_[high][wide];
};

#else

// What stands in for tensor cores on the host: the same products, summed one after the other.
template <int rows, int columns>
class Sums<Bfloat16, rows, columns> {
public:
    static constexpr int depth = 32, stages = 4;
    static constexpr int skew = 8;

    template <Order order, int left_row, int right_row>
    SKEWGRAD_FN void add(int thread, const Bfloat16* left, const Bfloat16* right) {
        for (int s = 0; s < each; ++s) {
            const int i = (s * block_threads + thread) / columns, j = (s * block_threads + thread) % columns;
            for (int k = 0; k < depth; ++k) {
                const Bfloat16 a = order == Order::rows_of_depth ? left[i * left_row + k] : left[k * left_row + i];
                sums_[s] += static_cast<float>(a) * static_cast<float>(right[k * right_row + j]);
            }
        }
    }
    template <int row>
    SKEWGRAD_FN void put(int thread, float* tile) const {
        for (int s = 0; s < each; ++s) {
            const int at = s * block_threads + thread;
            tile[at / columns * row + at % columns] = sums_[s];
        }
    }

private:
    static constexpr int each = rows * columns / block_threads;
    float sums_[each] = {};
};

#endif

}  // namespace SKEWGRAD_NAMESPACE::cuda
