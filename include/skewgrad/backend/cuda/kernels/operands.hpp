// The two operands of a product as a block reads them: patches of images under a convolution's window, and plain rows.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <skewgrad/backend/cuda/kernels/copies.hpp>
#include <skewgrad/backend/cuda/kernels/divide.hpp>
#include <skewgrad/backend/host/layout.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// Sixteen bytes of elements: what a thread moves at once.
template <class T>
struct alignas(16) Vector {
    static constexpr int size = static_cast<int>(16 / sizeof(T));
    T at[size];
};

/// A convolution's window, and which way it is gone through.
struct Window {
    int kernel = 1, stride = 1, padding = 0;
};
enum class Direction : std::uint8_t { forward, backward };

/// The matrix of patches: one row a pixel of a grid (all images'), one column an element under its window, channels
/// innermost. Forward the grid is the output's and the values are the input's, y = h s + kh - p; backward the grid is
/// the input's and the values are the slopes at the output, those of y = (h + p - kh) / s that are whole. Zeros
/// outside. A column of ones may stand behind them: its products are sums, as a bias' gradient is.
template <class Stored, class T, Direction direction>
struct Patches {
    const Stored* values = nullptr;
    int pixels = 0;                 ///< rows: of all images' grids
    Divide by_image, by_row;        ///< a pixel's number into image, row and column of its grid
    int height = 0, width = 0;      ///< of the values
    std::size_t image = 0;          ///< elements from one image's values to the next one's
    int row = 0, pixel = 0;         ///< likewise for rows and pixels
    int taken = 0;                  ///< columns without that of ones: kernel^2 x channels
    Divide by_channels, by_kernel;  ///< a column's number into tap and channel, a tap's into row and column
    Window window;
    bool ones = false;
    bool whole = false;  ///< a vector of columns lies in one pixel, on its boundary

    Patches() = default;
    Patches(const Stored* from, int images, Shape grid, const host::Layout& of, int channels, Window over)
        : values(from),
          pixels(images * grid.h * grid.w),
          by_image(grid.h * grid.w),
          by_row(grid.w),
          height(of.shape.h),
          width(of.shape.w),
          image(of.size),
          row(static_cast<int>(of.h)),
          pixel(static_cast<int>(of.w)),
          taken(over.kernel * over.kernel * channels),
          by_channels(channels),
          by_kernel(over.kernel),
          window(over),
          whole(channels % Vector<T>::size == 0 && of.size % Vector<T>::size == 0) {}
    SKEWGRAD_FN int columns() const { return taken + (ones ? 1 : 0); }

    /// What is known of a row, or of a column, before the other one is: worked out once, used along a whole sum.
    struct Row {
        const Stored* at;  ///< where the window begins; not to be read from
        int y, x;          ///< likewise, in rows and columns of the values; far outside where there is no such row
    };
    struct Column {
        int step, y, x;  ///< from where the window begins: elements, rows, columns
        bool there;
        bool one;  ///< of the column of ones
    };
    SKEWGRAD_FN Row row_at(int m) const {
        if (m >= pixels) return {values, -(1 << 20), 0};
        const int n = by_image(m), in_image = m - n * by_image.by();
        const int h = by_row(in_image), w = in_image - h * by_row.by();
        const Stored* first = values + static_cast<std::size_t>(n) * image;
        if constexpr (direction == Direction::forward) {
            const int y = h * window.stride - window.padding, x = w * window.stride - window.padding;
            return {first + (y * row + x * pixel), y, x};
        } else {
            const int y = h + window.padding, x = w + window.padding;
            return {window.stride == 1 ? first + (y * row + x * pixel) : first, y, x};
        }
    }
    SKEWGRAD_FN Column column_at(int k) const {
        if (k >= taken) return {0, 0, 0, false, ones && k == taken};
        const int tap = by_channels(k), c = k - tap * by_channels.by();
        const int kh = by_kernel(tap), kw = tap - kh * by_kernel.by();
        if constexpr (direction == Direction::forward)
            return {kh * row + kw * pixel + c, kh, kw, true, false};
        else
            return {window.stride == 1 ? c - kh * row - kw * pixel : c, -kh, -kw, true, false};
    }

    /// Columns k, k + 1, ... of row m, a vector of them, to shared memory; `column` is column k.
    SKEWGRAD_FN void fetch(const Row& r, const Column& column, int k, T* to) const {
        if constexpr (std::is_same_v<Stored, T>) {
            if (whole && column.there) {
                const Stored* at = element(r, column);
                bring(to, at ? at : values, at != nullptr);
                return;
            }
        }
        Vector<T> v{};
        for (int e = 0; e < Vector<T>::size; ++e) {
            const Column c = e == 0 ? column : column_at(k + e);
            if (c.there) {
                const Stored* at = element(r, c);
                if (at) v.at[e] = static_cast<T>(static_cast<float>(*at));
            } else if (c.one && r.y > -(1 << 19)) {
                v.at[e] = T(1.0f);
            }
        }
        *reinterpret_cast<Vector<T>*>(to) = v;
    }

private:
    /// Null outside the values.
    SKEWGRAD_FN const Stored* element(const Row& r, const Column& c) const {
        int y = r.y + c.y, x = r.x + c.x;
        if constexpr (direction == Direction::backward) {
            if (window.stride > 1) {
                if (y < 0 || x < 0 || y % window.stride != 0 || x % window.stride != 0) return nullptr;
                y /= window.stride;
                x /= window.stride;
                return y < height && x < width ? r.at + (y * row + x * pixel + c.step) : nullptr;
            }
        }
        const bool inside = static_cast<unsigned>(y) < static_cast<unsigned>(height) &&
                            static_cast<unsigned>(x) < static_cast<unsigned>(width);
        return inside ? r.at + c.step : nullptr;
    }
};

/// A matrix whose rows lie `stride` elements apart, as T. Zeros beyond its edges.
template <class Stored, class T>
struct Rows {
    const Stored* values = nullptr;
    int rows = 0, columns = 0;
    int stride = 0;

    /// Columns c, c + 1, ... of row r, a vector of them, to shared memory.
    SKEWGRAD_FN void fetch(int r, int c, T* to) const {
        const bool there = r < rows && c < columns;
        const Stored* at = there ? values + static_cast<std::size_t>(r) * static_cast<std::size_t>(stride) + c : values;
        if constexpr (std::is_same_v<Stored, T>) {
            if (stride % Vector<T>::size == 0 && columns % Vector<T>::size == 0) {
                bring(to, at, there);
                return;
            }
        }
        Vector<T> v{};
        for (int e = 0; there && e < Vector<T>::size && c + e < columns; ++e)
            v.at[e] = static_cast<T>(static_cast<float>(at[e]));
        *reinterpret_cast<Vector<T>*>(to) = v;
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
