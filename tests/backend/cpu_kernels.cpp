// The f32 CPU kernels of every instruction set against plain loops: values, order of sums, bounds, shares of threads.
#define BOOST_TEST_MODULE backend_cpu_kernels
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/backend/cpu/kernels/table.hpp>

#include "backend/relu_masks.hpp"

namespace {

using namespace skewgrad::cpu;
namespace ut = boost::unit_test;

constexpr float poison = std::numeric_limits<float>::quiet_NaN();

// A block of floats of exactly the size asked for, so that a sanitizer sees the first float beyond it. Starts out as
// NaN: a kernel that reads what it must not spoils its result, one that writes what it must not is seen, too.
class Floats {
public:
    explicit Floats(std::size_t size) : size_(size), values_(new(std::align_val_t{64}) float[size]) {
        std::fill(begin(), end(), poison);
    }
    Floats(const Floats& other) : Floats(other.size_) { std::copy(other.begin(), other.end(), begin()); }
    Floats& operator=(const Floats&) = delete;
    ~Floats() { ::operator delete[](values_, std::align_val_t{64}); }
    float* begin() const { return values_; }
    float* end() const { return values_ + size_; }
    float& operator[](std::ptrdiff_t i) const { return values_[i]; }
    bool same_bits(const Floats& other) const {
        return size_ == other.size_ && std::memcmp(values_, other.values_, size_ * sizeof(float)) == 0;
    }

private:
    std::size_t size_;
    float* values_;
};

// Uniform in [-1, 1), by a linear congruential generator: any fixed sequence will do.
class Draws {
public:
    explicit Draws(std::uint64_t seed) : state_(seed * 2 + 1) {}
    float next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return static_cast<float>(static_cast<std::int32_t>(state_ >> 32)) * 0x1p-31f;
    }

private:
    std::uint64_t state_;
};

int rounded_up(int c) { return c <= 4 ? c : blocks_of(c) * channel_block; }

struct Shape {
    int in_c, out_c, taps, stride, out_h, out_w;
    int spare = 0;  // floats beyond the usual pixel stride
    int in_h() const { return (out_h - 1) * stride + taps; }
    int in_w() const { return (out_w - 1) * stride + taps; }
    std::string text() const {
        return std::to_string(in_c) + "->" + std::to_string(out_c) + ", taps " + std::to_string(taps) + ", stride " +
               std::to_string(stride) + ", " + std::to_string(out_h) + " x " + std::to_string(out_w) + ", spare " +
               std::to_string(spare);
    }
};

// An image with NaN in its rows' and pixels' padding, and not one float more than a kernel may read or write.
struct Image {
    int h, w, c;
    std::ptrdiff_t pixel, row;
    Floats values;
    Image(int h_, int w_, int c_, std::ptrdiff_t pixel_)
        : h(h_),
          w(w_),
          c(c_),
          pixel(pixel_),
          row(w_ * pixel_ + 3),
          values(static_cast<std::size_t>((h_ - 1) * row + w_ * pixel)) {}
    float& at(int y, int x, int i) const { return values[y * row + x * pixel + i]; }
    void fill(Draws& draws) {
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                for (int i = 0; i < c; ++i) at(y, x, i) = draws.next();
    }
    void clear_padding() {
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                for (int i = c; i < pixel; ++i) at(y, x, i) = 0;
    }
};

// One convolution and its weight gradient, with everything that they read and write.
struct Case {
    Shape s;
    Image in, out;
    Floats weights, bias;

    explicit Case(const Shape& shape)
        : s(shape),
          in(s.in_h(), s.in_w(), s.in_c, rounded_up(s.in_c) + s.spare),
          out(s.out_h, s.out_w, s.out_c, rounded_up(s.out_c) + s.spare),
          weights(static_cast<std::size_t>(blocks_of(s.out_c) * s.taps * s.taps * s.in_c * channel_block)),
          bias(static_cast<std::size_t>(blocks_of(s.out_c) * channel_block)) {
        Draws draws(static_cast<std::uint64_t>(s.in_c * 1000 + s.out_c * 100 + s.taps * 10 + s.out_w));
        in.fill(draws);
        std::fill(weights.begin(), weights.end(), 0.0f);
        std::fill(bias.begin(), bias.end(), 0.0f);
        for (int o = 0; o < s.out_c; ++o) {
            bias[o] = draws.next();
            for (int y = 0; y < s.taps; ++y)
                for (int x = 0; x < s.taps; ++x)
                    for (int c = 0; c < s.in_c; ++c) weights[weight(o, y, x, c)] = draws.next();
        }
    }
    std::ptrdiff_t weight(int o, int y, int x, int c) const {
        return (((o / channel_block * s.taps + y) * s.taps + x) * s.in_c + c) * channel_block + o % channel_block;
    }
    int units() const { return blocks_of(s.out_c) * s.taps * s.taps; }
    Convolution convolution() const {
        return {.in = in.values.begin(),
                .in_row = in.row,
                .in_pixel = in.pixel,
                .in_c = s.in_c,
                .taps_h = s.taps,
                .taps_w = s.taps,
                .stride = s.stride,
                .weights = weights.begin(),
                .bias = bias.begin(),
                .out = out.values.begin(),
                .out_row = out.row,
                .out_pixel = out.pixel,
                .out_c = s.out_c,
                .out_h = s.out_h,
                .out_w = s.out_w,
                .out_block_begin = 0,
                .out_block_end = blocks_of(s.out_c)};
    }
    WeightGradient weight_gradient(const Floats& gradient, const Floats& bias_gradient) const {
        return {.in = in.values.begin(),
                .in_row = in.row,
                .in_pixel = in.pixel,
                .in_c = s.in_c,
                .taps_h = s.taps,
                .taps_w = s.taps,
                .stride = s.stride,
                .d_out = out.values.begin(),
                .out_row = out.row,
                .out_pixel = out.pixel,
                .out_c = s.out_c,
                .out_h = s.out_h,
                .out_w = s.out_w,
                .gradient = gradient.begin(),
                .bias_gradient = bias_gradient.begin(),
                .unit_begin = 0,
                .unit_end = units()};
    }
};

// Every channel count meets every tap count and stride; the other extents take turns.
std::vector<Shape> shapes() {
    const int channels[] = {1, 3, 5, 16, 17, 27, 48, 130};
    std::vector<Shape> all;
    int turn = 0;
    for (int taps : {1, 3, 5})
        for (int stride : {1, 2, 3})
            for (int in_c : channels) {
                ++turn;
                all.push_back({in_c, channels[turn * 3 % 8], taps, stride, 1 + turn % 9, 1 + turn * 5 % 9});
                all.push_back(
                    {in_c, channels[(turn + 5) % 8], taps, stride, 1 + turn * 7 % 9, 1 + turn % 4, turn % 3 * 5});
            }
    for (int w = 1; w <= 9; ++w) all.push_back({5, 17, 3, 1, w, 10 - w});
    all.push_back({3, 32, 3, 1, 32, 32});
    all.push_back({32, 3, 3, 1, 32, 32});
    all.push_back({16, 48, 3, 1, 32, 8});
    all.push_back({4, 4, 2, 2, 3, 300});    // rows longer than one group of pixels of the weight gradient
    all.push_back({700, 10, 1, 1, 1, 33});  // a dense layer: the batch is a row
    all.push_back({512, 16, 1, 1, 1, 1});
    return all;
}

// numerics: f32 direct 2e-7 sqrt(t). Each of t roundings errs by at most 6e-8 of the sum so far, in either direction.
double tolerance(double t) { return 2e-7 * std::sqrt(t); }

class RelativeError {
public:
    void add(double value, double expected) {
        error_ += (value - expected) * (value - expected);
        size_ += expected * expected;
    }
    double value() const { return std::sqrt(error_ / size_); }

private:
    double error_ = 0, size_ = 0;
};

// The documented order, one rounding per step in the sets with fused multiply-adds and two in the portable one.
float step(InstructionSet set, float a, float b, float sum) {
    if (set != InstructionSet::portable) return std::fma(a, b, sum);
    volatile float product = a * b;  // keeps the test's own compiler from fusing
    return product + sum;
}

void convolution_is_right(InstructionSet set) {
    for (const Shape& shape : shapes()) {
        BOOST_TEST_CONTEXT(shape.text()) {
            for (bool with_bias : {true, false}) {
                Case it(shape);
                Convolution call = it.convolution();
                if (!with_bias) call.bias = nullptr;
                kernels(set).convolve(call);
                RelativeError error;
                int wrong_bits = 0, wrong_padding = 0;
                for (int y = 0; y < shape.out_h; ++y)
                    for (int x = 0; x < shape.out_w; ++x) {
                        for (int o = 0; o < shape.out_c; ++o) {
                            float in_order = with_bias ? it.bias[o] : 0.0f;
                            double sum = in_order;
                            for (int i = 0; i < shape.taps; ++i)
                                for (int j = 0; j < shape.taps; ++j)
                                    for (int c = 0; c < shape.in_c; ++c) {
                                        const float v = it.in.at(y * shape.stride + i, x * shape.stride + j, c);
                                        const float w = it.weights[it.weight(o, i, j, c)];
                                        sum += double(v) * double(w);
                                        in_order = step(set, v, w, in_order);
                                    }
                            error.add(it.out.at(y, x, o), sum);
                            wrong_bits += it.out.at(y, x, o) != in_order;
                        }
                        // Whole blocks write their padding as zero, and nothing touches what is beyond them.
                        for (int o = shape.out_c; o < it.out.pixel; ++o) {
                            const bool whole = o / channel_block * channel_block + channel_block <= it.out.pixel &&
                                               o < blocks_of(shape.out_c) * channel_block;
                            const float v = it.out.at(y, x, o);
                            wrong_padding += whole ? v != 0 : !std::isnan(v);
                        }
                    }
                for (int y = 0; y + 1 < shape.out_h; ++y)
                    for (int i = 0; i < 3; ++i) wrong_padding += !std::isnan(it.out.at(y, shape.out_w, i));
                BOOST_TEST(error.value() <= tolerance(shape.in_c * shape.taps * shape.taps + 1));
                BOOST_TEST(wrong_bits == 0);
                BOOST_TEST(wrong_padding == 0);
            }
        }
    }
}

void convolution_bits_do_not_depend_on_grouping(InstructionSet set) {
    Case whole({17, 70, 3, 1, 9, 9});
    kernels(set).convolve(whole.convolution());
    for (int h = 1; h <= 9; ++h)
        for (int w = 1; w <= 9; ++w) {  // a corner of the image
            Case part({17, 70, 3, 1, 9, 9});
            Convolution call = part.convolution();
            call.out_h = h;
            call.out_w = w;
            kernels(set).convolve(call);
            int wrong = 0;
            for (int y = 0; y < 9; ++y)
                for (int x = 0; x < 9; ++x)
                    for (int o = 0; o < 70; ++o) {
                        const float v = part.out.at(y, x, o);
                        wrong += y < h && x < w ? v != whole.out.at(y, x, o) : !std::isnan(v);
                    }
            BOOST_TEST(wrong == 0, "image of " << h << " x " << w);
        }
    for (int begin = 0; begin <= 5; ++begin)
        for (int end = begin; end <= 5; ++end) {  // some of the blocks
            Case part({17, 70, 3, 1, 9, 9});
            Convolution call = part.convolution();
            call.out_block_begin = begin;
            call.out_block_end = end;
            kernels(set).convolve(call);
            int wrong = 0;
            for (int y = 0; y < 9; ++y)
                for (int x = 0; x < 9; ++x)
                    for (int o = 0; o < 70; ++o) {
                        const float v = part.out.at(y, x, o);
                        const bool mine = begin <= o / channel_block && o / channel_block < end;
                        wrong += mine ? v != whole.out.at(y, x, o) : !std::isnan(v);
                    }
            BOOST_TEST(wrong == 0, "blocks " << begin << " to " << end);
        }
}

void weight_gradient_is_right(InstructionSet set) {
    constexpr int images = 2;
    for (const Shape& shape : shapes()) {
        BOOST_TEST_CONTEXT(shape.text()) {
            Case it(shape);
            Floats gradient = it.weights, bias_gradient = it.bias;
            std::fill(gradient.begin(), gradient.end(), 0.0f);
            std::fill(bias_gradient.begin(), bias_gradient.end(), 0.0f);
            Floats in_order = gradient, bias_in_order = bias_gradient;
            std::vector<double> sums(static_cast<std::size_t>(gradient.end() - gradient.begin()));
            std::vector<double> bias_sums(static_cast<std::size_t>(shape.out_c));
            Draws draws(99);
            const int group_w = std::min(shape.out_w, 128), group_h = std::max(1, 128 / shape.out_w);
            for (int image = 0; image < images; ++image) {
                it.in.fill(draws);
                it.out.fill(draws);
                it.out.clear_padding();
                kernels(set).accumulate_weight_gradient(it.weight_gradient(gradient, bias_gradient));
                for (int o = 0; o < shape.out_c; ++o)
                    for (int unit = 0; unit < shape.taps * shape.taps; ++unit)
                        for (int c = -1; c < shape.in_c; ++c) {  // -1: the bias
                            if (c < 0 && unit > 0) continue;
                            const int i = unit / shape.taps, j = unit % shape.taps;
                            float& total = c < 0 ? bias_in_order[o] : in_order[it.weight(o, i, j, c)];
                            double& sum = c < 0 ? bias_sums[static_cast<std::size_t>(o)]
                                                : sums[static_cast<std::size_t>(it.weight(o, i, j, c))];
                            for (int y0 = 0; y0 < shape.out_h; y0 += group_h)
                                for (int x0 = 0; x0 < shape.out_w; x0 += group_w) {
                                    float group = 0;
                                    for (int y = y0; y < std::min(y0 + group_h, shape.out_h); ++y)
                                        for (int x = x0; x < std::min(x0 + group_w, shape.out_w); ++x) {
                                            const float g = it.out.at(y, x, o);
                                            const float v =
                                                c < 0 ? 1.0f : it.in.at(y * shape.stride + i, x * shape.stride + j, c);
                                            sum += double(v) * double(g);
                                            group = step(set, v, g, group);
                                        }
                                    total += group;
                                }
                        }
            }
            RelativeError error, bias_error;
            int wrong_bits = 0;
            for (std::ptrdiff_t k = 0; k < gradient.end() - gradient.begin(); ++k) {
                error.add(gradient[k], sums[static_cast<std::size_t>(k)]);
                wrong_bits += gradient[k] != in_order[k];  // includes the lanes beyond out_c, which stay 0
            }
            for (int o = 0; o < shape.out_c; ++o) bias_error.add(bias_gradient[o], bias_sums[std::size_t(o)]);
            const double t = images * shape.out_h * shape.out_w;
            BOOST_TEST(error.value() <= tolerance(t));
            BOOST_TEST(bias_error.value() <= tolerance(t));
            BOOST_TEST(wrong_bits == 0);
            BOOST_TEST(bias_gradient.same_bits(bias_in_order));
        }
    }
}

void weight_gradient_bits_do_not_depend_on_units(InstructionSet set) {
    for (const Shape& shape : {Shape{3, 20, 3, 1, 7, 5}, Shape{17, 20, 3, 2, 4, 6}, Shape{2, 3, 2, 1, 5, 5}}) {
        BOOST_TEST_CONTEXT(shape.text()) {
            Case it(shape);
            Draws draws(5);
            it.out.fill(draws);
            it.out.clear_padding();
            const Floats start = it.weights, bias_start = it.bias;
            Floats whole = start, bias_whole = bias_start;
            kernels(set).accumulate_weight_gradient(it.weight_gradient(whole, bias_whole));
            for (int begin = 0; begin <= it.units(); ++begin)
                for (int end = begin; end <= it.units(); ++end) {
                    Floats part = start, bias_part = bias_start;
                    for (int share = 0; share < 3; ++share) {  // what three threads would do, out of order
                        WeightGradient call = it.weight_gradient(part, bias_part);
                        call.unit_begin = share == 0 ? begin : share == 1 ? 0 : end;
                        call.unit_end = share == 0 ? end : share == 1 ? begin : it.units();
                        kernels(set).accumulate_weight_gradient(call);
                    }
                    BOOST_TEST((part.same_bits(whole) && bias_part.same_bits(bias_whole)),
                               "units " << begin << " to " << end);
                }
            Floats without_bias = start;
            WeightGradient call = it.weight_gradient(without_bias, bias_start);
            call.bias_gradient = nullptr;
            kernels(set).accumulate_weight_gradient(call);
            BOOST_TEST(without_bias.same_bits(whole));
        }
    }
}

void weights_are_transposed(InstructionSet set) {
    for (const Shape& shape : shapes()) {
        BOOST_TEST_CONTEXT(shape.text()) {
            Case it(shape);
            const int in_blocks = blocks_of(shape.in_c);
            const std::ptrdiff_t block = shape.taps * shape.taps * shape.out_c * channel_block;
            Floats transposed(static_cast<std::size_t>(in_blocks * block));
            WeightTranspose call{.weights = it.weights.begin(),
                                 .transposed = transposed.begin(),
                                 .in_c = shape.in_c,
                                 .out_c = shape.out_c,
                                 .taps_h = shape.taps,
                                 .taps_w = shape.taps,
                                 .in_block_begin = in_blocks / 2,
                                 .in_block_end = in_blocks};
            kernels(set).transpose_weights(call);
            int wrong = 0;
            for (std::ptrdiff_t k = 0; k < in_blocks / 2 * block; ++k) wrong += !std::isnan(transposed[k]);
            call.in_block_end = call.in_block_begin;
            call.in_block_begin = 0;
            kernels(set).transpose_weights(call);
            const float* at = transposed.begin();
            for (int b = 0; b < in_blocks; ++b)
                for (int y = 0; y < shape.taps; ++y)
                    for (int x = 0; x < shape.taps; ++x)
                        for (int o = 0; o < shape.out_c; ++o)
                            for (int lane = 0; lane < channel_block; ++lane, ++at) {
                                const int c = b * channel_block + lane;
                                const int i = shape.taps - 1 - y, j = shape.taps - 1 - x;
                                wrong += *at != (c < shape.in_c ? it.weights[it.weight(o, i, j, c)] : 0.0f);
                            }
            BOOST_TEST(wrong == 0);
        }
    }
}

// The gradient at a convolution's input, as the backend computes it, is the adjoint of the convolution.
void transposed_weights_give_the_input_gradient(InstructionSet set) {
    for (const Shape& shape : shapes()) {
        BOOST_TEST_CONTEXT(shape.text()) {
            Case it(shape);
            Draws draws(3);
            it.out.fill(draws);
            // The output gradient, dilated by the stride, in a border of taps - 1 on every side.
            const int border = shape.taps - 1;
            Image dilated((shape.out_h - 1) * shape.stride + 1 + 2 * border,
                          (shape.out_w - 1) * shape.stride + 1 + 2 * border, shape.out_c, it.out.pixel);
            for (int y = 0; y < dilated.h; ++y)
                for (int x = 0; x < dilated.w; ++x)
                    for (int o = 0; o < shape.out_c; ++o) dilated.at(y, x, o) = 0;
            Image expected(shape.in_h(), shape.in_w(), shape.in_c, it.in.pixel);
            std::vector<double> sums(static_cast<std::size_t>(shape.in_h() * shape.in_w() * shape.in_c), 0.0);
            for (int y = 0; y < shape.out_h; ++y)
                for (int x = 0; x < shape.out_w; ++x)
                    for (int o = 0; o < shape.out_c; ++o) {
                        const float g = it.out.at(y, x, o);
                        dilated.at(border + y * shape.stride, border + x * shape.stride, o) = g;
                        for (int i = 0; i < shape.taps; ++i)
                            for (int j = 0; j < shape.taps; ++j)
                                for (int c = 0; c < shape.in_c; ++c)
                                    sums[static_cast<std::size_t>(
                                        ((y * shape.stride + i) * shape.in_w() + x * shape.stride + j) * shape.in_c +
                                        c)] += double(g) * double(it.weights[it.weight(o, i, j, c)]);
                    }
            const int in_blocks = blocks_of(shape.in_c);
            Floats transposed(
                static_cast<std::size_t>(in_blocks * shape.taps * shape.taps * shape.out_c * channel_block));
            kernels(set).transpose_weights({.weights = it.weights.begin(),
                                            .transposed = transposed.begin(),
                                            .in_c = shape.in_c,
                                            .out_c = shape.out_c,
                                            .taps_h = shape.taps,
                                            .taps_w = shape.taps,
                                            .in_block_begin = 0,
                                            .in_block_end = in_blocks});
            Image gradient(shape.in_h(), shape.in_w(), shape.in_c, it.in.pixel);
            kernels(set).convolve({.in = dilated.values.begin(),
                                   .in_row = dilated.row,
                                   .in_pixel = dilated.pixel,
                                   .in_c = shape.out_c,
                                   .taps_h = shape.taps,
                                   .taps_w = shape.taps,
                                   .stride = 1,
                                   .weights = transposed.begin(),
                                   .bias = nullptr,
                                   .out = gradient.values.begin(),
                                   .out_row = gradient.row,
                                   .out_pixel = gradient.pixel,
                                   .out_c = shape.in_c,
                                   .out_h = shape.in_h(),
                                   .out_w = shape.in_w(),
                                   .out_block_begin = 0,
                                   .out_block_end = in_blocks});
            RelativeError error;
            for (int y = 0; y < shape.in_h(); ++y)
                for (int x = 0; x < shape.in_w(); ++x)
                    for (int c = 0; c < shape.in_c; ++c)
                        error.add(gradient.at(y, x, c),
                                  sums[static_cast<std::size_t>((y * shape.in_w() + x) * shape.in_c + c)]);
            BOOST_TEST(error.value() <= tolerance(shape.out_c * shape.taps * shape.taps));
        }
    }
}

void relu_masks_are_right(InstructionSet set) {
    Draws draws(5);
    for (const std::size_t count : {0u, 16u, 48u, 1024u}) {
        const auto values = relu_masks::delicate<float>(count, [&] { return draws.next(); });
        const auto expected = relu_masks::of(std::span<const float>(values));
        std::vector<ReluMask> found(expected.size() + 1, ReluMask{0x5555});
        kernels(set).find_relu_mask(values.data(), static_cast<std::ptrdiff_t>(count), found.data());
        BOOST_TEST(found.back() == 0x5555);
        found.pop_back();
        BOOST_TEST(found == expected);
    }
}

void pooling_is_right(InstructionSet set) {
    // Some of the shapes ask for the slope of a rectifier, too.
    for (int window : {1, 2, 3})
        for (int channels : {1, 2, 3, 4, 7, 16, 20, 32, 48})
            for (int size : {1, 2, 5}) {
                BOOST_TEST_CONTEXT("window " << window << ", " << channels << " channels, " << size << " x "
                                             << size + 1) {
                    const int h = size, w = size + 1;
                    const bool positive = size % 2 == window % 2;
                    Image in(h * window, w * window, channels, channels), out(h, w, channels, channels + 2);
                    Image d_out(h, w, channels, channels + 2), d_in(in.h, in.w, channels, channels + 3);
                    std::vector<ArgMax> places(static_cast<std::size_t>(h * out.row));
                    Draws draws(static_cast<std::uint64_t>(window * 100 + channels));
                    in.fill(draws);
                    for (int y = 0; y < in.h; ++y)  // few values, so that there are ties; signed zeros, NaN, infinity
                        for (int x = 0; x < in.w; ++x)
                            for (int c = 0; c < channels; ++c) {
                                float& v = in.at(y, x, c);
                                v = v > 0.98f ? poison : v > 0.95f ? INFINITY : std::round(v * 2) / 2;
                            }
                    d_out.fill(draws);
                    MaxPool<float> pool{.in = in.values.begin(),
                                        .in_row = in.row,
                                        .in_pixel = in.pixel,
                                        .out = out.values.begin(),
                                        .out_row = out.row,
                                        .out_pixel = out.pixel,
                                        .channels = channels,
                                        .window = window,
                                        .out_h = h,
                                        .out_w = w};
                    kernels(set).max_pool(pool);
                    Image again(h, w, channels, channels + 2);
                    pool.out = again.values.begin();
                    pool.argmax = places.data();
                    pool.positive = positive;
                    kernels(set).max_pool(pool);
                    kernels(set).max_pool_gradient({.argmax = places.data(),
                                                    .d_out = d_out.values.begin(),
                                                    .out_row = d_out.row,
                                                    .out_pixel = d_out.pixel,
                                                    .d_in = d_in.values.begin(),
                                                    .in_gradient_row = d_in.row,
                                                    .in_gradient_pixel = d_in.pixel,
                                                    .channels = channels,
                                                    .window = window,
                                                    .out_h = h,
                                                    .out_w = w});
                    int wrong = 0, wrong_gradient = 0;
                    for (int y = 0; y < h; ++y)
                        for (int x = 0; x < w; ++x)
                            for (int c = 0; c < channels; ++c) {
                                float best = -INFINITY;
                                int winner = 0;
                                for (int k = 0; k < window * window; ++k) {
                                    const float v = in.at(y * window + k / window, x * window + k % window, c);
                                    if (std::isnan(v) || v > best) best = v, winner = k;
                                }
                                for (const float v : {out.at(y, x, c), again.at(y, x, c)})
                                    wrong += std::bit_cast<std::uint32_t>(v) != std::bit_cast<std::uint32_t>(best);
                                const float passed = !positive || best > 0 ? d_out.at(y, x, c) : 0.0f;
                                for (int k = 0; k < window * window; ++k)
                                    wrong_gradient += d_in.at(y * window + k / window, x * window + k % window, c) !=
                                                      (k == winner ? passed : 0.0f);
                            }
                    for (int y = 0; y < h; ++y)
                        for (int x = 0; x < w; ++x)
                            for (int c = channels; c < channels + 2; ++c) wrong += !std::isnan(out.at(y, x, c));
                    for (int y = 0; y < in.h; ++y)
                        for (int x = 0; x < in.w; ++x)
                            for (int c = channels; c < channels + 3; ++c)
                                wrong_gradient += !std::isnan(d_in.at(y, x, c));
                    BOOST_TEST(wrong == 0);
                    BOOST_TEST(wrong_gradient == 0);
                }
            }
}

// The sets with fused multiply-adds differ in nothing but speed.
void bits_equal_those_of_avx2(InstructionSet set) {
    for (const Shape& shape : shapes()) {
        BOOST_TEST_CONTEXT(shape.text()) {
            Case one(shape), other(shape);
            kernels(set).convolve(one.convolution());
            kernels(InstructionSet::avx2).convolve(other.convolution());
            BOOST_TEST(one.out.values.same_bits(other.out.values));
            one.out.clear_padding();
            other.out.clear_padding();
            Floats gradient = one.weights, bias = one.bias, other_gradient = one.weights, other_bias = one.bias;
            kernels(set).accumulate_weight_gradient(one.weight_gradient(gradient, bias));
            kernels(InstructionSet::avx2).accumulate_weight_gradient(other.weight_gradient(other_gradient, other_bias));
            BOOST_TEST(gradient.same_bits(other_gradient));
            BOOST_TEST(bias.same_bits(other_bias));
        }
    }
}

// One suite per set; a set that this processor lacks is skipped by name.
const bool registered = [] {
    struct {
        const char* name;
        void (*check)(InstructionSet);
    } const checks[] = {
        {"convolution_is_right", convolution_is_right},
        {"convolution_bits_do_not_depend_on_grouping", convolution_bits_do_not_depend_on_grouping},
        {"weight_gradient_is_right", weight_gradient_is_right},
        {"weight_gradient_bits_do_not_depend_on_units", weight_gradient_bits_do_not_depend_on_units},
        {"weights_are_transposed", weights_are_transposed},
        {"transposed_weights_give_the_input_gradient", transposed_weights_give_the_input_gradient},
        {"relu_masks_are_right", relu_masks_are_right},
        {"pooling_is_right", pooling_is_right},
        {"bits_equal_those_of_avx2", bits_equal_those_of_avx2},
    };
    for (InstructionSet set : instruction_sets) {
        if (set > InstructionSet::avx512) break;  // the sets above it have no f32 kernels of their own
        ut::test_suite* suite = BOOST_TEST_SUITE(name(set));
        for (const auto& check : checks) {
            if (check.check == bits_equal_those_of_avx2 && set != InstructionSet::avx512) continue;
            ut::test_case* one = ut::make_test_case([set, run = check.check] { run(set); }, check.name, __FILE__, 0);
            one->add_precondition([set](ut::test_unit_id) {
                boost::test_tools::assertion_result has(set <= best_instruction_set());
                has.message() << "this processor lacks " << name(set);
                return has;
            });
            suite->add(one);
        }
        ut::framework::master_test_suite().add(suite);
    }
    return true;
}();

}  // namespace

BOOST_AUTO_TEST_CASE(tables_say_which_set_they_are) {
    for (InstructionSet set : instruction_sets)
        if (set <= best_instruction_set()) BOOST_TEST((kernels(set).set == std::min(set, InstructionSet::avx512)));
}

BOOST_AUTO_TEST_CASE(the_environment_forces_a_set) {
    const InstructionSet best = best_instruction_set();
    ::unsetenv("SKEWGRAD_ISA");
    BOOST_TEST((instruction_set_from_environment() == best));
    ::setenv("SKEWGRAD_ISA", "", 1);
    BOOST_TEST((instruction_set_from_environment() == best));
    for (InstructionSet set : instruction_sets) {
        ::setenv("SKEWGRAD_ISA", name(set), 1);
        if (set <= best) {
            BOOST_TEST((instruction_set_from_environment() == set));
        } else {
            BOOST_CHECK_THROW(instruction_set_from_environment(), skewgrad::ValueError);
        }
    }
    ::setenv("SKEWGRAD_ISA", "sse9", 1);
    BOOST_CHECK_EXCEPTION(instruction_set_from_environment(), skewgrad::ValueError, [](const skewgrad::ValueError& e) {
        const std::string text = e.what();
        return text.find("SKEWGRAD_ISA") != std::string::npos && text.find("sse9") != std::string::npos &&
               text.find(name(best_instruction_set())) != std::string::npos;
    });
    // Chosen once: what was chosen stays, whatever the variable says later.
    ::setenv("SKEWGRAD_ISA", "portable", 1);
    BOOST_TEST((kernels().set == InstructionSet::portable));
    ::setenv("SKEWGRAD_ISA", "sse9", 1);
    BOOST_TEST((kernels().set == InstructionSet::portable));
    ::unsetenv("SKEWGRAD_ISA");
}
