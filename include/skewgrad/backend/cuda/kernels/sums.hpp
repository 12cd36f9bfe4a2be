// What a block multiplies: two tiles in shared memory into sums that its threads hold. f32 by fused multiply-adds,
// bf16 by tensor cores, summed in f32.
#pragma once
#include <cstddef>

#include <skewgrad/backend/bfloat16.hpp>
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

/// The sums of a tile of rows x columns, dealt out over a block's threads. `add` takes tiles of `depth` products each:
/// left in either order, right as (k, j) at k row + j. `put` writes the tile to shared memory, rows of `row` floats.
template <class T, int rows, int columns>
class Sums;

template <int rows, int columns>
class Sums<float, rows, columns> {
public:
    static constexpr int depth = 16;
    static constexpr int skew = 4;  ///< elements behind each row in shared memory, so that rows lie on other banks

    template <Order order, int left_row, int right_row>
    SKEWGRAD_FN void add(int thread, const float* left, const float* right) {
        const int i0 = thread / across * high, j0 = thread % across * wide;
        for (int k = 0; k < depth; ++k) {
            float a[high], b[wide];
            for (int i = 0; i < high; ++i)
                a[i] = order == Order::rows_of_depth ? left[(i0 + i) * left_row + k] : left[k * left_row + i0 + i];
            for (int j = 0; j < wide; ++j) b[j] = right[k * right_row + j0 + j];
            for (int i = 0; i < high; ++i)
                for (int j = 0; j < wide; ++j) sums_[i][j] += a[i] * b[j];
        }
    }
    template <int row>
    SKEWGRAD_FN void put(int thread, float* tile) const {
        const int i0 = thread / across * high, j0 = thread % across * wide;
        for (int i = 0; i < high; ++i)
            for (int j = 0; j < wide; ++j) tile[(i0 + i) * row + j0 + j] = sums_[i][j];
    }

private:
    static constexpr int wide = 4, across = columns / wide, high = rows * across / block_threads;
    static_assert(rows % high == 0 && across * (rows / high) == block_threads);
    float sums_[high][wide] = {};
};

#if defined(__CUDA_ARCH__)

// Four warps share the tile, side by side where it is wide enough; each holds fragments of 16 x 16.
template <int rows, int columns>
class Sums<Bfloat16, rows, columns> {
public:
    static constexpr int depth = 32;
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
                nvcuda::wmma::store_matrix_sync(
                    tile + (row_of(thread) + 16 * i) * row + column_of(thread) + 16 * j, sums_[i][j], row,
                    nvcuda::wmma::mem_row_major);
    }

private:
    static constexpr int across = columns / 32, down = 4 / across;
    static constexpr int wide = 2, high = rows / down / 16;
    static_assert(across * 32 == columns && high * down * 16 == rows);
    static __device__ int row_of(int thread) { return thread / 32 / across * (16 * high); }
    static __device__ int column_of(int thread) { return thread / 32 % across * 32; }
    nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float> sums_[high][wide];
};

#else

// What stands in for tensor cores on the host: the same products, summed one after the other.
template <int rows, int columns>
class Sums<Bfloat16, rows, columns> {
public:
    static constexpr int depth = 32;
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
