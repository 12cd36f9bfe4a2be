// The one product that convolutions and dense layers are made of: a tile of sums a block, operands through shared
// memory.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/cuda/kernels/operands.hpp>
#include <skewgrad/backend/cuda/kernels/sums.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Which index of the left operand the sums run over.
enum class SumOver : std::uint8_t {
    columns,  ///< out(i, j) = sum over k of left(i, k) right(k, j): passes over images
    rows,     ///< out(i, j) = sum over k of left(k, i) right(k, j): gradients of weights, k a pixel
};

/// One block's tile of outputs, over the z-th share of the sum. While a tile of operands is multiplied, the next ones
/// are on their way to shared memory, where a ring of buffers takes them. The order of every sum is fixed by its length
/// and share alone, whatever the tile. `store(i, j, eight sums, z)` takes columns j to j + 7 of row i.
template <class T, int tile_rows, int tile_columns, SumOver over, class Left, class Right, class Store>
struct Product {
    static constexpr int threads = block_threads;
    static constexpr bool waits = true;

    Left left;
    Right right;
    Store store;
    int length = 0;  ///< of the sum
    int share = 0;   ///< of it for each z, a multiple of the depth of a tile

private:
    using Sum = Sums<T, tile_rows, tile_columns>;
    static constexpr int depth = Sum::depth, stages = Sum::stages;
    static constexpr Order order = over == SumOver::columns ? Order::rows_of_depth : Order::rows_of_outputs;
    static constexpr int left_lines = over == SumOver::columns ? tile_rows : depth;
    static constexpr int left_line = over == SumOver::columns ? depth : tile_rows;
    static constexpr int left_row = left_line + Sum::skew, right_row = tile_columns + Sum::skew;
    static constexpr int out_row = tile_columns + 4;
    static constexpr int left_size = left_lines * left_row, right_size = depth * right_row;
    static constexpr int vector = Vector<T>::size;
    static constexpr int left_vectors = tile_rows * depth / vector, right_vectors = tile_columns * depth / vector;
    static_assert(left_vectors % threads == 0 && right_vectors % threads == 0);
    static constexpr std::size_t operand_bytes = stages * sizeof(T) * static_cast<std::size_t>(left_size + right_size);
    static constexpr std::size_t out_bytes = sizeof(float) * static_cast<std::size_t>(tile_rows * out_row);

public:
    static constexpr std::size_t shared_bytes = operand_bytes > out_bytes ? operand_bytes : out_bytes;
    static constexpr int depth_of_tile = depth;

    SKEWGRAD_FN void operator()(const Block& block) const {
        const int i0 = block.x * tile_rows, j0 = block.y * tile_columns;
        const int begin = block.z * share, end = begin + share < length ? begin + share : length;
        T* ring = reinterpret_cast<T*>(block.shared);
        const Fixed fixed(left, block.thread, i0);
        for (int s = 0; s + 1 < stages; ++s) {
            if (begin + s * depth < end) fetch(block.thread, fixed, i0, j0, begin + s * depth, ring, s);
            end_copies();
        }
        Sum sums;
        int now = 0, next = stages - 1;  // in the ring
        for (int k = begin; k < end; k += depth) {
            wait_for_copies<stages - 2>();
            block.wait();  // all see this tile, and none still multiplies the one before it
            const int ahead = k + (stages - 1) * depth;
            if (ahead < end) fetch(block.thread, fixed, i0, j0, ahead, ring, next);
            end_copies();
            const T* tile = ring + now * (left_size + right_size);
            sums.template add<order, left_row, right_row>(block.thread, tile, tile + left_size);
            next = now;
            now = now + 1 == stages ? 0 : now + 1;
        }
        wait_for_copies<0>();
        block.wait();  // the ring's memory takes the sums
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
    static constexpr bool by_rows = over == SumOver::columns;
    static constexpr int slots = left_vectors / threads;  // of the left tile that a thread fills
    SKEWGRAD_FN static int line_of(int thread, int slot) { return (slot * threads + thread) / (left_line / vector); }
    SKEWGRAD_FN static int place_of(int thread, int slot) {
        return (slot * threads + thread) % (left_line / vector) * vector;
    }
    /// What of the left operand stays the same along the sum: its rows, or its columns.
    struct Fixed {
        std::conditional_t<by_rows, typename Left::Row, typename Left::Column> at[slots];
        SKEWGRAD_FN Fixed(const Left& left, int thread, int i0) {
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
            for (int s = 0; s < slots; ++s) {
                if constexpr (by_rows)
                    at[s] = left.row_at(i0 + line_of(thread, s));
                else
                    at[s] = left.column_at(i0 + place_of(thread, s));
            }
        }
    };

    // What lies beyond the matrices' edges reads as zero; a share's end is a multiple of the depth.
    SKEWGRAD_FN void fetch(int thread, const Fixed& fixed, int i0, int j0, int k, T* ring, int place) const {
        T* left_tile = ring + place * (left_size + right_size);
        T* right_tile = left_tile + left_size;
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int s = 0; s < slots; ++s) {
            const int line = line_of(thread, s), at = place_of(thread, s);
            T* to = left_tile + line * left_row + at;
            if constexpr (by_rows)
                left.fetch(fixed.at[s], left.column_at(k + at), k + at, to);
            else
                left.fetch(left.row_at(k + line), fixed.at[s], i0 + at, to);
        }
#if defined(__CUDA_ARCH__)
#pragma unroll
#endif
        for (int first = 0; first < right_vectors; first += threads) {
            const int line = (first + thread) / (tile_columns / vector);
            const int at = (first + thread) % (tile_columns / vector) * vector;
            right.fetch(k + line, j0 + at, right_tile + line * right_row + at);
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
        const std::size_t first =
            static_cast<std::size_t>(i) * static_cast<std::size_t>(stride) + static_cast<std::size_t>(j);
        Eight<In> out;
        for (int e = 0; e < 8; ++e) {
            const bool passes =
                j + e < channels && (!mask || static_cast<float>(mask[first + static_cast<std::size_t>(e)]) > 0);
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
        float* at = to +
                    (static_cast<std::size_t>(z) * static_cast<std::size_t>(rows) + static_cast<std::size_t>(i)) *
                        static_cast<std::size_t>(stride) +
                    j;
        for (int e = 0; e < 8; ++e) at[e] = sums[e];
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
