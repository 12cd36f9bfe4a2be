// The one product that convolutions and dense layers are made of: a tile of sums a block, operands through shared memory.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/cuda/kernels/operands.hpp>
#include <skewgrad/backend/cuda/kernels/sums.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Which index of the left operand the sums run over.
enum class SumOver : std::uint8_t {
    columns,  ///< out(i, j) = sum over k of left(i, k) right(k, j): passes over images
    rows,     ///< out(i, j) = sum over k of left(k, i) right(k, j): gradients of weights, k a pixel
};

/// One block's tile of 64 x `tile_columns` outputs, over the z-th share of the sum. While a tile of operands is
/// multiplied, the next one is on its way to registers; two buffers in shared memory take turns. The order of every
/// sum is fixed by the shapes alone. `store(i, j, eight sums, z)` takes columns j to j + 7 of row i.
template <class T, int tile_columns, SumOver over, class Left, class Right, class Store>
struct Product {
    static constexpr int threads = block_threads, tile_rows = 64;
    static constexpr bool waits = true;

    Left left;
    Right right;
    Store store;
    int length = 0;  ///< of the sum
    int share = 0;   ///< of it for each z, a multiple of `depth`

private:
    using Sum = Sums<T, tile_rows, tile_columns>;
    static constexpr int depth = Sum::depth;
    static constexpr Order order = over == SumOver::columns ? Order::rows_of_depth : Order::rows_of_outputs;
    static constexpr int left_lines = over == SumOver::columns ? tile_rows : depth;
    static constexpr int left_row = (over == SumOver::columns ? depth : tile_rows) + Sum::skew;
    static constexpr int right_row = tile_columns + Sum::skew;
    static constexpr int out_row = tile_columns + 4;
    static constexpr int left_size = left_lines * left_row, right_size = depth * right_row;
    static constexpr int vector = Vector<T>::size;
    static constexpr int left_vectors = tile_rows * depth / vector / threads;
    static constexpr int right_vectors = tile_columns * depth / vector / threads;
    static_assert(left_vectors * vector * threads == tile_rows * depth);
    static_assert(right_vectors * vector * threads == tile_columns * depth);
    static constexpr std::size_t operand_bytes = 2 * sizeof(T) * static_cast<std::size_t>(left_size + right_size);
    static constexpr std::size_t out_bytes = sizeof(float) * static_cast<std::size_t>(tile_rows * out_row);

public:
    static constexpr std::size_t shared_bytes = operand_bytes > out_bytes ? operand_bytes : out_bytes;
    static constexpr int depth_of_tile = depth;

    SKEWGRAD_FN void operator()(const Block& block) const {
        const int i0 = block.x * tile_rows, j0 = block.y * tile_columns;
        const int begin = block.z * share, end = begin + share < length ? begin + share : length;
        T* operands = reinterpret_cast<T*>(block.shared);
        Sum sums;
        Vector<T> l[left_vectors], r[right_vectors];
        fetch(block.thread, i0, j0, begin, l, r);
        int turn = 0;
        for (int k = begin; k < end; k += depth, turn ^= 1) {
            T* left_tile = operands + turn * (left_size + right_size);
            T* right_tile = left_tile + left_size;
            leave(block.thread, l, r, left_tile, right_tile);
            block.wait();
            if (k + depth < end) fetch(block.thread, i0, j0, k + depth, l, r);
            sums.template add<order, left_row, right_row>(block.thread, left_tile, right_tile);
        }
        block.wait();  // the operands' memory takes the sums
        float* out = reinterpret_cast<float*>(block.shared);
        sums.template put<out_row>(block.thread, out);
        block.wait();
        constexpr int eights = tile_columns / 8;
        for (int s = block.thread; s < tile_rows * eights; s += threads) {
            const int i = s / eights, j = s % eights * 8;
            store(i0 + i, j0 + j, out + i * out_row + j, block.z);
        }
    }

private:
    // What lies beyond the sum's end or the matrices' edges reads as zero; a share's end is a multiple of the depth.
    SKEWGRAD_FN void fetch(int thread, int i0, int j0, int k, Vector<T>* l, Vector<T>* r) const {
        constexpr int in_line = (over == SumOver::columns ? depth : tile_rows) / vector;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int s = 0; s < left_vectors; ++s) {
            const int at = s * threads + thread, line = at / in_line, place = at % in_line * vector;
            l[s] = over == SumOver::columns ? left(i0 + line, k + place) : left(k + line, i0 + place);
        }
        constexpr int in_right = tile_columns / vector;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int s = 0; s < right_vectors; ++s) {
            const int at = s * threads + thread;
            r[s] = right(k + at / in_right, j0 + at % in_right * vector);
        }
    }
    SKEWGRAD_FN static void leave(int thread, const Vector<T>* l, const Vector<T>* r, T* left_tile, T* right_tile) {
        constexpr int in_line = (over == SumOver::columns ? depth : tile_rows) / vector;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int s = 0; s < left_vectors; ++s) {
            const int at = s * threads + thread;
            *reinterpret_cast<Vector<T>*>(left_tile + at / in_line * left_row + at % in_line * vector) = l[s];
        }
        constexpr int in_right = tile_columns / vector;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int s = 0; s < right_vectors; ++s) {
            const int at = s * threads + thread;
            *reinterpret_cast<Vector<T>*>(right_tile + at / in_right * right_row + at % in_right * vector) = r[s];
        }
    }
};

/// Eight neighbours, written at once where `stride` says that they lie on a boundary, else those that are there.
template <class T>
struct alignas(16) Eight {
    T at[8];
    SKEWGRAD_FN void write(T* to, int column, int stride) const {
        if (stride % 8 == 0) {
            if (column < stride) *reinterpret_cast<Eight*>(to) = *this;
        } else {
            for (int e = 0; e < 8 && column + e < stride; ++e) to[e] = at[e];
        }
    }
};

/// Outputs of a pass forward: bias and, if asked for, the rectifier, then rounded to what is stored. Channels that fill
/// up a pixel become zero.
template <class Out>
struct StoreOutput {
    Out* to = nullptr;
    const float* bias = nullptr;
    int rows = 0, channels = 0, stride = 0;
    bool rectifies = false;

    SKEWGRAD_FN void operator()(int i, int j, const float* sums, int) const {
        if (i >= rows) return;
        Eight<Out> out;
        for (int e = 0; e < 8; ++e) {
            float y = j + e < channels ? sums[e] + bias[j + e] : 0.0f;
            if (rectifies) y = y > 0 ? y : 0.0f;
            out.at[e] = static_cast<Out>(y);
        }
        out.write(to + static_cast<std::size_t>(i) * static_cast<std::size_t>(stride) + j, j, stride);
    }
};

/// Slopes of a pass backward, zero where the rectifier that wrote `mask` (null: none did) let nothing through.
template <class In>
struct StoreSlopes {
    In* to = nullptr;
    const In* mask = nullptr;
    int rows = 0, channels = 0, stride = 0;

    SKEWGRAD_FN void operator()(int i, int j, const float* sums, int) const {
        if (i >= rows) return;
        const std::size_t first = static_cast<std::size_t>(i) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(j);
        Eight<In> out;
        for (int e = 0; e < 8; ++e) {
            const bool passes = j + e < channels && (!mask || static_cast<float>(mask[first + static_cast<std::size_t>(e)]) > 0);
            out.at[e] = static_cast<In>(passes ? sums[e] : 0.0f);
        }
        out.write(to + first, j, stride);
    }
};

/// A share's sums, for `AddShares` to add up.
struct StoreShare {
    float* to = nullptr;
    int rows = 0, stride = 0;  ///< stride: a multiple of 8

    SKEWGRAD_FN void operator()(int i, int j, const float* sums, int z) const {
        if (i >= rows || j >= stride) return;
        float* at = to + (static_cast<std::size_t>(z) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(i)) *
                             static_cast<std::size_t>(stride) + j;
        for (int e = 0; e < 8; ++e) at[e] = sums[e];
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
