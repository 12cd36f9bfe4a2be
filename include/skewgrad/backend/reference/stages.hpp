// Convolution and dense layers on xtensor and xtensor-blas, plainly: columns, products, sums over images in order.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <xtensor/xadapt.hpp>
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include <skewgrad/backend/host/stages.hpp>
#include <skewgrad/backend/reference/blas.hpp>

namespace SKEWGRAD_NAMESPACE {

template <std::floating_point T>
struct Reference;

namespace reference {

// A matrix of `rows` x `columns` elements that stand elsewhere.
template <class T>
auto matrix(T* at, std::size_t rows, std::size_t columns) {
    return xt::adapt(at, rows * columns, xt::no_ownership(), std::array<std::size_t, 2>{rows, columns});
}

struct Window {
    int kernel, stride, padding;
};

/// The patches under the window as columns: (C K K) x (H' W'), zeros outside the image.
template <class T>
xt::xtensor<T, 2> image_to_columns(const T* x, Shape in, Shape out, Window win) {
    const auto k = static_cast<std::size_t>(win.kernel);
    xt::xtensor<T, 2> columns = xt::zeros<T>(
        {static_cast<std::size_t>(in.c) * k * k, static_cast<std::size_t>(out.h) * static_cast<std::size_t>(out.w)});
    std::size_t row = 0;
    for (int c = 0; c < in.c; ++c)
        for (int i = 0; i < win.kernel; ++i)
            for (int j = 0; j < win.kernel; ++j, ++row)
                for (int h = 0; h < out.h; ++h)
                    for (int w = 0; w < out.w; ++w) {
                        const int y = h * win.stride + i - win.padding, z = w * win.stride + j - win.padding;
                        if (y >= 0 && y < in.h && z >= 0 && z < in.w)
                            columns(row, static_cast<std::size_t>(h * out.w + w)) = x[(c * in.h + y) * in.w + z];
                    }
    return columns;
}

/// The transpose of image_to_columns: every column's elements are added to the pixels they came from.
template <class T>
void columns_to_image(const xt::xtensor<T, 2>& columns, Shape in, Shape out, Window win, T* x) {
    std::fill_n(x, in.size(), T(0));
    std::size_t row = 0;
    for (int c = 0; c < in.c; ++c)
        for (int i = 0; i < win.kernel; ++i)
            for (int j = 0; j < win.kernel; ++j, ++row)
                for (int h = 0; h < out.h; ++h)
                    for (int w = 0; w < out.w; ++w) {
                        const int y = h * win.stride + i - win.padding, z = w * win.stride + j - win.padding;
                        if (y >= 0 && y < in.h && z >= 0 && z < in.w)
                            x[(c * in.h + y) * in.w + z] += columns(row, static_cast<std::size_t>(h * out.w + w));
                    }
}

/// What convolution and dense layers share: weight then bias, kept in canonical order.
template <class T>
struct WeightAndBias {
    using B = Reference<T>;
    static constexpr bool can_finish = true;
    static void import_parameters(const host::Site<B>& site, const T* canonical, T* masters) {
        std::copy_n(canonical, site.canonical_size, masters);
    }
    static void export_parameters(const host::Site<B>& site, const T* masters, T* canonical) {
        std::copy_n(masters, site.canonical_size, canonical);
    }
};

}  // namespace reference

template <class T, int Out, int Kernel, int Stride, Padding Pad, Initial Start>
struct host::Stage<Reference<T>, Conv<Out, Kernel, Stride, Pad, Start>> : reference::WeightAndBias<T> {
    using Layer = Conv<Out, Kernel, Stride, Pad, Start>;
    using Call = host::Call<Reference<T>>;
    static constexpr reference::Window window{Kernel, Stride, Layer::padding};
    static constexpr std::size_t master_size(const host::Site<Reference<T>>& site) {
        return parameter_size<Layer>(site.in.shape);
    }

    /// y = W columns(x) + b, image by image.
    static void forward(const Call& call) {
        const Sizes s(call);
        const auto weight = reference::matrix(call.masters, s.out, s.patch);
        const T* bias = call.masters + s.out * s.patch;
        for (int n = 0; n < call.images; ++n) {
            const auto columns =
                reference::image_to_columns(call.in_image(n), call.site.in.shape, call.site.out.shape, window);
            auto y = reference::matrix(call.out_image(n), s.out, s.pixels);
            y = xt::linalg::dot(weight, columns);
            for (std::size_t o = 0; o < s.out; ++o) xt::view(y, o, xt::all()) += bias[o];
            call.finish(n);
        }
    }
    /// dx = columns^T(W^T dy).
    static void backward_data(const Call& call) {
        const Sizes s(call);
        const xt::xtensor<T, 2> transposed = xt::transpose(reference::matrix(call.masters, s.out, s.patch));
        for (int n = 0; n < call.images; ++n) {
            const auto dy = reference::matrix(call.d_out_image(n), s.out, s.pixels);
            const xt::xtensor<T, 2> columns = xt::linalg::dot(transposed, dy);
            reference::columns_to_image(columns, call.site.in.shape, call.site.out.shape, window, call.d_in_image(n));
        }
    }
    /// dW += sum over images of dy columns(x)^T, db += sum of dy.
    static void backward_weights(const Call& call) {
        const Sizes s(call);
        auto dw = reference::matrix(call.gradients, s.out, s.patch);
        T* db = call.gradients + s.out * s.patch;
        for (int n = 0; n < call.images; ++n) {
            const xt::xtensor<T, 2> rows = xt::transpose(
                reference::image_to_columns(call.in_image(n), call.site.in.shape, call.site.out.shape, window));
            const auto dy = reference::matrix(call.d_out_image(n), s.out, s.pixels);
            dw += xt::linalg::dot(dy, rows);
            for (std::size_t o = 0; o < s.out; ++o)
                for (std::size_t p = 0; p < s.pixels; ++p) db[o] += dy(o, p);
        }
    }

private:
    struct Sizes {
        std::size_t out, patch, pixels;
        explicit Sizes(const Call& call)
            : out(Out),
              patch(static_cast<std::size_t>(call.site.in.shape.c) * Kernel * Kernel),
              pixels(static_cast<std::size_t>(call.site.out.shape.h) *
                     static_cast<std::size_t>(call.site.out.shape.w)) {}
    };
};

template <class T, int Out, Initial Start>
struct host::Stage<Reference<T>, Dense<Out, Start>> : reference::WeightAndBias<T> {
    using Layer = Dense<Out, Start>;
    using Call = host::Call<Reference<T>>;
    static constexpr std::size_t master_size(const host::Site<Reference<T>>& site) {
        return parameter_size<Layer>(site.in.shape);
    }

    /// Y = X W^T + b over the whole block of images.
    static void forward(const Call& call) {
        const auto images = static_cast<std::size_t>(call.images);
        const auto x = reference::matrix(call.in, images, call.site.in.size);
        const xt::xtensor<T, 2> transposed =
            xt::transpose(reference::matrix(call.masters, std::size_t{Out}, call.site.in.size));
        const T* bias = call.masters + std::size_t{Out} * call.site.in.size;
        auto y = reference::matrix(call.out, images, std::size_t{Out});
        y = xt::linalg::dot(x, transposed);
        for (std::size_t n = 0; n < images; ++n)
            for (std::size_t o = 0; o < Out; ++o) y(n, o) += bias[o];
        for (int n = 0; n < call.images; ++n) call.finish(n);
    }
    /// dX = dY W.
    static void backward_data(const Call& call) {
        const auto images = static_cast<std::size_t>(call.images);
        const auto weight = reference::matrix(call.masters, std::size_t{Out}, call.site.in.size);
        const auto dy = reference::matrix(call.d_out, images, std::size_t{Out});
        reference::matrix(call.d_in, images, call.site.in.size) = xt::linalg::dot(dy, weight);
    }
    /// dW += dY^T X, db += sum of dY.
    static void backward_weights(const Call& call) {
        const auto images = static_cast<std::size_t>(call.images);
        const auto x = reference::matrix(call.in, images, call.site.in.size);
        const auto dy = reference::matrix(call.d_out, images, std::size_t{Out});
        const xt::xtensor<T, 2> transposed = xt::transpose(dy);
        reference::matrix(call.gradients, std::size_t{Out}, call.site.in.size) += xt::linalg::dot(transposed, x);
        T* db = call.gradients + std::size_t{Out} * call.site.in.size;
        for (std::size_t n = 0; n < images; ++n)
            for (std::size_t o = 0; o < Out; ++o) db[o] += dy(n, o);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
