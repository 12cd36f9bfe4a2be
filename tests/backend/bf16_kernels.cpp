// The bf16 CPU kernels of every instruction set against plain loops: values, bounds, shares of threads, rounding.
#define BOOST_TEST_MODULE backend_bf16_kernels
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/backend/cpu/bf16_conv_stage.hpp>
#include <skewgrad/backend/cpu/kernels/bf16/table.hpp>
#include <skewgrad/backend/cpu/tile_permission.hpp>
#include <skewgrad/core/random.hpp>

#include "backend/emulated_tiles.hpp"
#include "backend/relu_masks.hpp"

using namespace skewgrad;
using namespace skewgrad::cpu;
using namespace skewgrad_tests;
namespace ut = boost::unit_test;

namespace {

constexpr float poison = std::numeric_limits<float>::quiet_NaN();

// Uniform in [-1, 1).
class Draws {
public:
    explicit Draws(std::uint32_t item) : stream_{.seed = Seed{5}, .purpose = Purpose::noise, .item = item} {}
    float next() { return 2 * uniform(draw_word(stream_, word_++)) - 1; }

private:
    Stream stream_;
    std::uint32_t word_ = 0;
};

float value(Bfloat16 x) { return static_cast<float>(x); }
bool same(Bfloat16 a, Bfloat16 b) { return a.bits == b.bits; }
int padded(int c) { return c <= 16 ? 16 : (c + 31) / 32 * 32; }

struct Extents {
    int in_c, out_c, taps, stride, h, w;
    int in_h() const { return (h - 1) * stride + taps; }
    int in_w() const { return (w - 1) * stride + taps; }
    std::string text() const {
        return std::to_string(in_c) + "->" + std::to_string(out_c) + ", taps " + std::to_string(taps) + ", stride " +
               std::to_string(stride) + ", " + std::to_string(h) + " x " + std::to_string(w);
    }
};
std::vector<Extents> shapes() {
    const int channels[] = {1, 3, 16, 17, 27, 48, 70};
    std::vector<Extents> all;
    int turn = 0;
    for (int taps : {1, 3, 5})
        for (int stride : {1, 2})
            for (int in_c : channels) {
                ++turn;
                all.push_back({in_c, channels[turn * 3 % 7], taps, stride, 1 + turn % 7, 1 + turn * 5 % 9});
            }
    all.push_back({32, 32, 3, 1, 16, 16});
    all.push_back({16, 33, 3, 1, 2, 150});  // rows longer than one group of pixels of the weight gradient
    all.push_back({700, 10, 1, 1, 1, 33});  // a dense layer: the batch is a row
    // Pixels that lie evenly and unevenly, groups of 16 with and without an end, one block and several.
    const Extents by_tiles[] = {{64, 16, 3, 1, 8, 8}, {32, 48, 1, 1, 5, 7},   {96, 20, 3, 2, 3, 9},
                                {64, 70, 5, 1, 4, 4}, {640, 10, 1, 1, 1, 37}, {31, 33, 3, 1, 1, 33},
                                {20, 32, 3, 1, 9, 4}};
    all.insert(all.end(), std::begin(by_tiles), std::end(by_tiles));
    return all;
}

// An image of bf16 with what fills up its pixels: zeros, as kernels may count on.
struct Image {
    int h, w, c;
    std::ptrdiff_t pixel, row;
    std::vector<Bfloat16> values;
    Image(int h_, int w_, int c_)
        : h(h_), w(w_), c(c_), pixel(padded(c_)), row(w_ * pixel), values(static_cast<std::size_t>(h_ * row)) {}
    Bfloat16& at(int y, int x, int i) { return values[static_cast<std::size_t>(y * row + x * pixel + i)]; }
    void fill(Draws& draws) {
        for (int y = 0; y < h; ++y)
            for (int x = 0; x < w; ++x)
                for (int i = 0; i < c; ++i) at(y, x, i) = Bfloat16(draws.next());
    }
};

// A convolution's operands: an image, f32 weights as masters, their packed copies, a bias.
struct Case {
    Extents s;
    const PairKernelTable& kernels;
    Image in;
    std::vector<float> weights, bias;
    PairRun run;
    std::vector<Bfloat16> packed;

    Case(const Extents& e, const PairKernelTable& kernels_)
        : s(e),
          kernels(kernels_),
          in(e.in_h(), e.in_w(), e.in_c),
          weights(static_cast<std::size_t>(blocks_of(e.out_c) * e.taps * e.taps * e.in_c * 16)),
          bias(static_cast<std::size_t>(blocks_of(e.out_c) * 16)),
          run((e.in_c + 1) / 2, static_cast<int>(in.pixel), e.taps, kernels_.tiles),
          packed(static_cast<std::size_t>(padded(e.out_c) * e.taps * (e.taps * run.pairs + run.fill) * 2)) {
        Draws draws(static_cast<std::uint32_t>(e.in_c * 1000 + e.out_c));
        in.fill(draws);
        in.values.resize(in.values.size() + read_beyond);
        for (int o = 0; o < s.out_c; ++o) {
            bias[static_cast<std::size_t>(o)] = draws.next();
            for (int tap = 0; tap < s.taps * s.taps; ++tap)
                for (int c = 0; c < s.in_c; ++c) weights[weight(o, tap, c)] = draws.next();
        }
        kernels.pack({.weights = weights.data(),
                      .to = packed.data(),
                      .in_c = s.in_c,
                      .out_c = s.out_c,
                      .kernel = s.taps,
                      .twice = false,
                      .pairs = run.pairs,
                      .row_fill = run.fill,
                      .block_begin = 0,
                      .block_end = padded(s.out_c) / 16});
    }
    std::size_t weight(int o, int tap, int c) const {
        return static_cast<std::size_t>(((o / 16 * s.taps * s.taps + tap) * s.in_c + c) * 16 + o % 16);
    }
    PairConvolution job() const {
        return {.in = in.values.data(),
                .in_row = in.row,
                .in_pixel = in.pixel,
                .pairs = run.pairs,
                .taps_h = s.taps,
                .taps_w = s.taps,
                .row_fill = run.fill,
                .stride = s.stride,
                .weights = packed.data(),
                .bias = bias.data(),
                .out_c = s.out_c,
                .out_h = s.h,
                .out_w = s.w,
                .out_block_begin = 0,
                .out_block_end = padded(s.out_c) / 16};
    }
    /// Compact f32 results: sums before they are rounded.
    std::vector<float> exact(PairConvolution call) const {
        std::vector<float> out(static_cast<std::size_t>(s.h * s.w * s.out_c), poison);
        call.out = out.data();
        call.out_f32 = true;
        call.out_row = s.w * s.out_c;
        call.out_pixel = s.out_c;
        call.out_block_end = blocks_of(s.out_c);
        kernels.convolve(call);
        return out;
    }
    Image stored(PairConvolution call) const {
        Image out(s.h, s.w, s.out_c);
        std::fill(out.values.begin(), out.values.end(), Bfloat16(poison));
        call.out = out.values.data();
        call.out_row = out.row;
        call.out_pixel = out.pixel;
        kernels.convolve(call);
        return out;
    }
};

class RelativeError {
public:
    void add(double got, double expected) {
        error_ += (got - expected) * (got - expected);
        size_ += expected * expected;
    }
    double value() const { return size_ == 0 ? std::sqrt(error_) : std::sqrt(error_ / size_); }

private:
    double error_ = 0, size_ = 0;
};
// Sums of t products of bf16 numbers, which f32 holds exactly: only the sum rounds (numerics: 2e-7 sqrt(t)).
double tolerance(double t) { return 2e-7 * std::sqrt(t); }

void convolution_is_right(const PairKernelTable& kernels) {
    for (const Extents& s : shapes()) BOOST_TEST_CONTEXT(s.text()) {
            Case it(s, kernels);
            const auto exact = it.exact(it.job());
            RelativeError error;
            std::size_t at = 0;
            for (int y = 0; y < s.h; ++y)
                for (int x = 0; x < s.w; ++x)
                    for (int o = 0; o < s.out_c; ++o) {
                        double sum = it.bias[static_cast<std::size_t>(o)];
                        for (int tap = 0; tap < s.taps * s.taps; ++tap)
                            for (int c = 0; c < s.in_c; ++c)
                                sum += double{value(
                                           it.in.at(y * s.stride + tap / s.taps, x * s.stride + tap % s.taps, c))} *
                                       double{value(Bfloat16(it.weights[it.weight(o, tap, c)]))};
                        error.add(double{exact[at++]}, sum);
                    }
            BOOST_TEST(error.value() <= tolerance(s.in_c * s.taps * s.taps + 1));

            // What is stored is what was summed: rounded, rectified, masked; the pixel filled up with zeros.
            Draws draws(8);
            Image rectified(s.h, s.w, s.out_c);
            rectified.fill(draws);
            const auto open = relu_masks::of(std::span<const Bfloat16>(rectified.values));
            for (const bool rectify : {false, true})
                for (const bool masked : {false, true}) {
                    PairConvolution call = it.job();
                    call.rectify = rectify;
                    const auto f32_out = it.exact(call);  // has no mask
                    call.relu_mask = masked ? open.data() : nullptr;
                    Image out = it.stored(call);
                    int wrong = 0;
                    at = 0;
                    for (int y = 0; y < s.h; ++y)
                        for (int x = 0; x < s.w; ++x) {
                            for (int o = 0; o < s.out_c; ++o, ++at) {
                                const float expected = !rectify || exact[at] > 0 ? exact[at] : 0.0f;
                                const bool passes = !masked || value(rectified.at(y, x, o)) > 0;
                                wrong += !same(out.at(y, x, o), Bfloat16(passes ? expected : 0.0f)) ||
                                         f32_out[at] != expected;
                            }
                            for (int o = s.out_c; o < out.pixel; ++o) wrong += value(out.at(y, x, o)) != 0;
                        }
                    BOOST_TEST(wrong == 0);
                }
        }
}

void convolution_bits_do_not_depend_on_grouping(const PairKernelTable& kernels) {
    Case it({17, 70, 3, 1, 9, 9}, kernels);
    const auto whole = it.exact(it.job());
    for (int h = 1; h <= 9; h += 2)
        for (int w = 1; w <= 9; ++w) {
            PairConvolution call = it.job();
            std::vector<float> out(9 * 9 * 70, poison);
            call.out = out.data();
            call.out_f32 = true;
            call.out_row = 9 * 70;
            call.out_pixel = 70;
            call.out_h = h;
            call.out_w = w;
            call.out_block_begin = w % 3;
            call.out_block_end = 5 - h % 2;
            it.kernels.convolve(call);
            int wrong = 0;
            for (int y = 0; y < 9; ++y)
                for (int x = 0; x < 9; ++x)
                    for (int o = 0; o < 70; ++o) {
                        const auto i = static_cast<std::size_t>((y * 9 + x) * 70 + o);
                        const bool mine =
                            y < h && x < w && o / 16 >= call.out_block_begin && o / 16 < call.out_block_end;
                        wrong += mine ? out[i] != whole[i] : !std::isnan(out[i]);
                    }
            BOOST_TEST(wrong == 0, "image of " << h << " x " << w);
        }
}

// The gradient at a convolution's input, as the backend computes it, is the adjoint of the convolution.
void rows_known_to_be_zero_may_be_left_out(const PairKernelTable& kernels) {
    for (const Extents& s : shapes()) BOOST_TEST_CONTEXT(s.text()) {
            Case it(s, kernels);
            PairConvolution call = it.job();
            const ZeroRows rows{s.taps / 2, s.in_h() - s.taps / 2};
            for (int y = 0; y < s.in_h(); ++y)
                if (y < rows.begin || y >= rows.end)
                    std::fill_n(it.in.values.data() + y * it.in.row, it.in.row, Bfloat16(0.0f));
            const auto all = it.exact(call);
            call.zero_rows = rows;
            BOOST_TEST((it.exact(call) == all));
        }
}

void transposed_weights_give_the_input_gradient(const PairKernelTable& kernels) {
    for (const Extents& s : shapes()) BOOST_TEST_CONTEXT(s.text()) {
            Case it(s, kernels);
            Draws draws(3);
            Image d_out(s.h, s.w, s.out_c);
            d_out.fill(draws);
            const int border = s.taps - 1;
            Image spread((s.h - 1) * s.stride + 1 + 2 * border, (s.w - 1) * s.stride + 1 + 2 * border, s.out_c);
            std::vector<double> sums(static_cast<std::size_t>(s.in_h() * s.in_w() * s.in_c), 0.0);
            for (int y = 0; y < s.h; ++y)
                for (int x = 0; x < s.w; ++x)
                    for (int o = 0; o < s.out_c; ++o) {
                        spread.at(border + y * s.stride, border + x * s.stride, o) = d_out.at(y, x, o);
                        for (int tap = 0; tap < s.taps * s.taps; ++tap)
                            for (int c = 0; c < s.in_c; ++c)
                                sums[static_cast<std::size_t>(
                                    ((y * s.stride + tap / s.taps) * s.in_w() + x * s.stride + tap % s.taps) * s.in_c +
                                    c)] += double{value(d_out.at(y, x, o))} *
                                           double{value(Bfloat16(it.weights[it.weight(o, tap, c)]))};
                    }
            const int blocks = padded(s.in_c) / 16;
            const PairRun run((s.out_c + 1) / 2, static_cast<int>(spread.pixel), s.taps, kernels.tiles);
            std::vector<Bfloat16> transposed(
                static_cast<std::size_t>(blocks * s.taps * (s.taps * run.pairs + run.fill) * 32), Bfloat16(poison));
            spread.values.resize(spread.values.size() + read_beyond);
            PairPacking pack{.weights = it.weights.data(),
                             .to = transposed.data(),
                             .in_c = s.in_c,
                             .out_c = s.out_c,
                             .kernel = s.taps,
                             .twice = false,
                             .pairs = run.pairs,
                             .row_fill = run.fill,
                             .block_begin = blocks / 2,
                             .block_end = blocks};
            it.kernels.pack_transposed(pack);  // in two shares
            pack.block_end = pack.block_begin;
            pack.block_begin = 0;
            it.kernels.pack_transposed(pack);
            std::vector<float> gradient(sums.size(), poison);
            it.kernels.convolve({.in = spread.values.data(),
                                 .in_row = spread.row,
                                 .in_pixel = spread.pixel,
                                 .pairs = run.pairs,
                                 .taps_h = s.taps,
                                 .taps_w = s.taps,
                                 .row_fill = run.fill,
                                 .weights = transposed.data(),
                                 .out = gradient.data(),
                                 .out_f32 = true,
                                 .out_row = s.in_w() * s.in_c,
                                 .out_pixel = s.in_c,
                                 .out_c = s.in_c,
                                 .out_h = s.in_h(),
                                 .out_w = s.in_w(),
                                 .out_block_end = blocks_of(s.in_c)});
            RelativeError error;
            for (std::size_t i = 0; i < sums.size(); ++i) error.add(double{gradient[i]}, sums[i]);
            BOOST_TEST(error.value() <= tolerance(s.out_c * s.taps * s.taps));
        }
}

// Two images, then one alone, then the two parts of f32 numbers: all that a pair can be.
void weight_gradient_is_right(const PairKernelTable& kernels) {
    for (const Extents& s : shapes()) BOOST_TEST_CONTEXT(s.text()) {
            Draws draws(4);
            const int panels = panels_of(s.in_c);
            const std::ptrdiff_t row = s.in_w() * 16, panel = s.in_h() * row;
            std::vector<Bfloat16> pairs(static_cast<std::size_t>(panels * panel), Bfloat16(poison));
            std::vector<float> gradient(static_cast<std::size_t>(blocks_of(s.out_c) * s.taps * s.taps * s.in_c * 16)),
                bias(static_cast<std::size_t>(blocks_of(s.out_c) * 16));
            std::vector<double> sums(gradient.size()), bias_sums(bias.size());
            PairWeightGradient call{.in = pairs.data(),
                                    .in_panel = panel,
                                    .in_row = row,
                                    .in_c = s.in_c,
                                    .taps_h = s.taps,
                                    .taps_w = s.taps,
                                    .stride = s.stride,
                                    .out_c = s.out_c,
                                    .out_h = s.h,
                                    .out_w = s.w,
                                    .gradient = gradient.data(),
                                    .gradient_block = s.taps * s.taps * s.in_c * 16,
                                    .bias_gradient = bias.data()};
            const auto add = [&](int o, int tap, int c, double product) {
                sums[static_cast<std::size_t>(((o / 16 * s.taps * s.taps + tap) * s.in_c + c) * 16 + o % 16)] +=
                    product;
            };
            const auto expect = [&](Image& in, Image& d_out) {
                for (int y = 0; y < s.h; ++y)
                    for (int x = 0; x < s.w; ++x)
                        for (int o = 0; o < s.out_c; ++o) {
                            const double g = double{value(d_out.at(y, x, o))};
                            bias_sums[static_cast<std::size_t>(o)] += g;
                            for (int tap = 0; tap < s.taps * s.taps; ++tap)
                                for (int c = 0; c < s.in_c; ++c)
                                    add(o, tap, c,
                                        g * double{value(
                                                in.at(y * s.stride + tap / s.taps, x * s.stride + tap % s.taps, c))});
                        }
            };
            for (const bool both : {true, false}) {
                Image a(s.in_h(), s.in_w(), s.in_c), b = a, d_out_a(s.h, s.w, s.out_c), d_out_b = d_out_a;
                for (Image* image : {&a, &b, &d_out_a, &d_out_b}) image->fill(draws);
                for (int y = 0; y < a.h; ++y)
                    kernels.pair_rows({.first = &a.at(y, 0, 0),
                                       .second = both ? &b.at(y, 0, 0) : nullptr,
                                       .pixel = a.pixel,
                                       .pixels = a.w,
                                       .panels = panels,
                                       .to = pairs.data() + y * row,
                                       .to_panel = panel,
                                       .to_pixel = 16});
                call.first = d_out_a.values.data();
                call.second = both ? d_out_b.values.data() : nullptr;
                call.out_row = d_out_a.row;
                call.out_pixel = d_out_a.pixel;
                const int units = call.units();
                const std::vector<float> before = gradient, bias_before = bias;
                for (const int cut : {units, units / 3}) {  // whole, and as threads share it: the same bits
                    const std::vector<float> once = gradient, bias_once = bias;
                    std::copy(before.begin(), before.end(), gradient.begin());
                    std::copy(bias_before.begin(), bias_before.end(), bias.begin());
                    call.unit_begin = 0;
                    call.unit_end = cut;
                    kernels.accumulate_weight_gradient(call);
                    call.unit_begin = cut;
                    call.unit_end = units;
                    kernels.accumulate_weight_gradient(call);
                    if (cut != units) BOOST_TEST((once == gradient && bias_once == bias));
                }
                expect(a, d_out_a);
                if (both) expect(b, d_out_b);
            }
            Image d_out(s.h, s.w, s.out_c);
            d_out.fill(draws);
            std::vector<float> in(static_cast<std::size_t>(s.in_h() * s.in_w() * s.in_c));
            std::vector<Bfloat16> parts(2 * in.size());
            for (float& v : in) v = draws.next();
            kernels.split(in.data(), static_cast<std::ptrdiff_t>(in.size()), parts.data());
            for (int y = 0; y < s.in_h(); ++y)
                for (int x = 0; x < s.in_w(); ++x)
                    for (int c = 0; c < s.in_c; ++c)
                        for (int half = 0; half < 2; ++half)
                            pairs[static_cast<std::size_t>(c / 8 * panel + y * row + (x * 8 + c % 8) * 2 + half)] =
                                parts[static_cast<std::size_t>(((y * s.in_w() + x) * s.in_c + c) * 2 + half)];
            call.first = call.second = d_out.values.data();
            call.out_row = d_out.row;
            call.out_pixel = d_out.pixel;
            call.unit_begin = 0;
            call.unit_end = call.units();
            kernels.accumulate_weight_gradient(call);
            for (int y = 0; y < s.h; ++y)
                for (int x = 0; x < s.w; ++x)
                    for (int o = 0; o < s.out_c; ++o) {
                        const double g = double{value(d_out.at(y, x, o))};
                        bias_sums[static_cast<std::size_t>(o)] += g;
                        for (int tap = 0; tap < s.taps * s.taps; ++tap)
                            for (int c = 0; c < s.in_c; ++c)
                                add(o, tap, c,
                                    g * double{in[static_cast<std::size_t>(
                                            ((y * s.stride + tap / s.taps) * s.in_w() + x * s.stride + tap % s.taps) *
                                                s.in_c +
                                            c)]});
                    }
            RelativeError error, bias_error;
            for (std::size_t i = 0; i < sums.size(); ++i) error.add(double{gradient[i]}, sums[i]);
            for (std::size_t i = 0; i < bias.size(); ++i) bias_error.add(double{bias[i]}, bias_sums[i]);
            // Parts leave out 2^-17 of the images at most.
            BOOST_TEST(error.value() <= tolerance(8 * s.h * s.w) + 0x1p-17);
            BOOST_TEST(bias_error.value() <= tolerance(4 * s.h * s.w) * 4);  // its terms cancel
        }
}

void numbers_split_into_two_parts(const PairKernelTable& kernels) {
    std::vector<float> x{0, 1, -1, 0.01f, 1.0f / 255, 254.0f / 255, 0x1p-20f, 1 - 0x1p-24f, 0.5f + 0x1p-24f};
    Draws draws(6);
    while (x.size() < 10'007) x.push_back(draws.next());
    std::vector<Bfloat16> parts(2 * x.size());
    kernels.split(x.data(), static_cast<std::ptrdiff_t>(x.size()), parts.data());
    int wrong = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double sum = double{value(parts[2 * i])} + double{value(parts[2 * i + 1])};
        wrong += std::abs(sum - double{x[i]}) > 0x1p-17 * std::abs(double{x[i]}) || !same(parts[2 * i], Bfloat16(x[i]));
    }
    BOOST_TEST(wrong == 0);
}

// Each weight is found where the layout says, rounded to nearest; everything else is zero.
void weights_are_packed(const PairKernelTable& kernels) {
    int turn = 0;
    for (const Extents& s : shapes())
        for (const bool twice : {false, true}) BOOST_TEST_CONTEXT(s.text() << (twice ? ", twice" : "")) {
                const Case it(s, kernels);
                const int pairs = (twice ? s.in_c : (s.in_c + 1) / 2) + turn % 3, fill = turn % 4;
                ++turn;
                const int blocks = padded(s.out_c) / 16;
                std::vector<Bfloat16> to(static_cast<std::size_t>(blocks * s.taps * (s.taps * pairs + fill) * 32),
                                         Bfloat16(poison));
                kernels.pack({it.weights.data(), to.data(), s.in_c, s.out_c, s.taps, twice, pairs, fill, 0, blocks});
                std::size_t at = 0;
                int wrong = 0;
                for (int block = 0; block < blocks; ++block)
                    for (int tap_y = 0; tap_y < s.taps; ++tap_y)
                        for (int pair = 0; pair < s.taps * pairs + fill; ++pair)
                            for (int lane = 0; lane < 16; ++lane)
                                for (int half = 0; half < 2; ++half) {
                                    const int tap_x = pair / pairs, p = pair % pairs;
                                    const int o = block * 16 + lane, c = twice ? p : 2 * p + half;
                                    const bool there = tap_x < s.taps && o < s.out_c && c < s.in_c;
                                    const float w = there ? it.weights[it.weight(o, tap_y * s.taps + tap_x, c)] : 0.0f;
                                    wrong += !same(to[at++], Bfloat16(w));
                                }
                BOOST_TEST(wrong == 0);
            }
}

void relu_masks_are_right(const PairKernelTable& kernels) {
    Draws draws(6);
    const auto values = relu_masks::delicate<Bfloat16>(1024, [&] { return draws.next(); });
    const auto expected = relu_masks::of(std::span<const Bfloat16>(values));
    std::vector<ReluMask> found(expected.size());
    kernels.find_relu_mask(values.data(), static_cast<std::ptrdiff_t>(values.size()), found.data());
    BOOST_TEST(found == expected);
}

void pooling_is_right(const PairKernelTable& kernels) {
    for (int window : {1, 2, 3})
        for (int channels : {16, 32, 64})
            for (int size : {1, 3}) {
                const int h = size, w = size + 1;
                Image in(h * window, w * window, channels), out(h, w, channels), d_out = out, d_in = in;
                Draws draws(static_cast<std::uint32_t>(window * 100 + channels));
                in.fill(draws);
                for (Bfloat16& v : in.values)  // few values, so that there are ties
                    v = Bfloat16(std::round(value(v) * 3) / 2);
                d_out.fill(draws);
                std::vector<ArgMax> places(out.values.size());
                for (const bool positive : {false, true}) {
                    std::fill(d_in.values.begin(), d_in.values.end(), Bfloat16(poison));
                    kernels.max_pool({in.values.data(), in.row, in.pixel, out.values.data(), out.row, out.pixel,
                                      places.data(), positive, channels, window, h, w});
                    kernels.max_pool_gradient({places.data(), d_out.values.data(), d_out.row, d_out.pixel,
                                               d_in.values.data(), d_in.row, d_in.pixel, channels, window, h, w});
                    int wrong = 0;
                    for (int y = 0; y < h; ++y)
                        for (int x = 0; x < w; ++x)
                            for (int c = 0; c < channels; ++c) {
                                float best = -INFINITY;
                                int winner = 0;
                                for (int k = 0; k < window * window; ++k) {
                                    const float v = value(in.at(y * window + k / window, x * window + k % window, c));
                                    if (v > best) best = v, winner = k;
                                }
                                wrong += value(out.at(y, x, c)) != best;
                                for (int k = 0; k < window * window; ++k) {
                                    const bool takes = k == winner && !(positive && best <= 0);
                                    wrong += value(d_in.at(y * window + k / window, x * window + k % window, c)) !=
                                             (takes ? value(d_out.at(y, x, c)) : 0.0f);
                                }
                            }
                    BOOST_TEST(wrong == 0, "window " << window << ", " << channels << " channels");
                }
            }
}

// Images whose pixels lie between each other, one of them there without being wanted: each as by itself, bit by bit.
void interleaved_images_keep_their_bits(const PairKernelTable& kernels) {
    struct Group {
        Extents shape;
        int images;
    };
    for (const Group& group : {Group{{32, 48, 3, 1, 8, 8}, 4},
                               {{64, 32, 3, 1, 4, 4}, 8},
                               {{96, 16, 1, 1, 2, 7}, 16},
                               {{64, 33, 5, 1, 3, 5}, 2}})
        BOOST_TEST_CONTEXT(group.shape.text() << ", " << group.images << " images") {
            const Extents& s = group.shape;
            Case it(s, kernels);
            Draws draws(9);
            std::vector<Image> outs(static_cast<std::size_t>(group.images), Image(s.h, s.w, s.out_c));
            const std::ptrdiff_t out_size = s.h * outs[0].row;
            std::vector<Bfloat16> in(static_cast<std::size_t>(s.in_h() * it.in.row * group.images)),
                rectified(static_cast<std::size_t>(out_size * group.images)), out(rectified.size(), Bfloat16(poison));
            for (Bfloat16& v : rectified) v = Bfloat16(draws.next());
            const auto open = relu_masks::of(std::span<const Bfloat16>(rectified));
            for (int i = 0; i < group.images; ++i) {
                it.in.fill(draws);
                for (int pixel = 0; pixel < s.in_h() * s.in_w(); ++pixel)
                    std::copy_n(it.in.values.data() + pixel * it.in.pixel, it.in.pixel,
                                in.data() + (pixel * group.images + i) * it.in.pixel);
                PairConvolution alone = it.job();
                alone.rectify = true;
                alone.relu_mask = open.data() + i * out_size / 16;
                outs[static_cast<std::size_t>(i)] = it.stored(alone);
            }
            PairConvolution call = it.job();
            call.in = in.data();
            call.in_row = it.in.row * group.images;
            call.images = group.images;
            call.stored_images = group.images - 1;
            call.rectify = true;
            call.relu_mask = open.data();
            call.out = out.data();
            call.out_row = outs[0].row;
            call.out_pixel = outs[0].pixel;
            call.out_image = out_size;
            kernels.convolve(call);
            int wrong = 0;
            for (std::size_t i = 0; i < out.size(); ++i) {
                const auto image = i / static_cast<std::size_t>(out_size), k = i % static_cast<std::size_t>(out_size);
                wrong += image + 1 == outs.size() ? !std::isnan(value(out[i])) : !same(out[i], outs[image].values[k]);
            }
            BOOST_TEST(wrong == 0);
        }
}

// Real tiles must be there where the processor and the system offer them.
void tiles_are_permitted(const PairKernelTable& kernels) {
    if (kernels.set == InstructionSet::amx) BOOST_TEST(tile_refusal() == "");
}

template <InstructionSet set>
boost::test_tools::assertion_result has_set(ut::test_unit_id) {
    boost::test_tools::assertion_result has(set <= best_instruction_set());
    has.message() << "this processor lacks " << name(set);
    return has;
}

// One suite per set; a set that this processor lacks is skipped by name. Emulated tiles run everywhere.
const bool registered = [] {
    struct {
        const char* name;
        void (*check)(const PairKernelTable&);
        bool tiles;  // for them alone
    } const checks[] = {
        {"tiles_are_permitted", tiles_are_permitted, true},  // first: the others need it
        {"convolution_is_right", convolution_is_right, false},
        {"convolution_bits_do_not_depend_on_grouping", convolution_bits_do_not_depend_on_grouping, false},
        {"rows_known_to_be_zero_may_be_left_out", rows_known_to_be_zero_may_be_left_out, false},
        {"interleaved_images_keep_their_bits", interleaved_images_keep_their_bits, true},
        {"transposed_weights_give_the_input_gradient", transposed_weights_give_the_input_gradient, false},
        {"weight_gradient_is_right", weight_gradient_is_right, false},
        {"numbers_split_into_two_parts", numbers_split_into_two_parts, false},
        {"weights_are_packed", weights_are_packed, false},
        {"relu_masks_are_right", relu_masks_are_right, false},
        {"pooling_is_right", pooling_is_right, false},
    };
    const auto add = [&](const std::string& suite_name, InstructionSet needed, const PairKernelTable& kernels) {
        ut::test_suite* suite = BOOST_TEST_SUITE(suite_name);
        for (const auto& check : checks) {
            if (check.tiles && !kernels.tiles) continue;
            ut::test_case* one =
                ut::make_test_case([&kernels, run = check.check] { run(kernels); }, check.name, __FILE__, 0);
            one->add_precondition([needed](ut::test_unit_id) {
                boost::test_tools::assertion_result has(needed <= best_instruction_set());
                has.message() << "this processor lacks " << name(needed);
                return has;
            });
            suite->add(one);
        }
        ut::framework::master_test_suite().add(suite);
    };
    for (InstructionSet set : instruction_sets) add(name(set), set, pair_kernels(set));
    add("emulated_tiles", InstructionSet::portable, emulated_tile_table);
    return true;
}();

}  // namespace

// Tiles are used wherever rows of taps fill them, configured once a call and released.
BOOST_AUTO_TEST_CASE(tiles_are_configured_and_released) {
    for (const Extents& s : shapes()) BOOST_TEST_CONTEXT(s.text()) {
            Case it(s, emulated_tile_table);
            const int before = EmulatedTiles::configurations;
            it.exact(it.job());
            BOOST_TEST(EmulatedTiles::configurations - before == (s.taps > 1 || s.in_c > 16 ? 1 : 0));
            BOOST_TEST(!EmulatedTiles::configured);
            BOOST_TEST(EmulatedTiles::unconfigured_uses == 0);
        }
}

// Rows of 1 to 40 pixels, one image to five, borders of none to two; one block and three, in shares of every size.
void gradient_of_rows_is_right(const RowKernels& kernels) {
    struct Shape {
        int in_c, out_c, taps, padding, h, w, images;
    };
    for (const Shape& s : {Shape{16, 16, 3, 1, 8, 8, 5},
                           {32, 48, 3, 1, 16, 16, 2},
                           {48, 10, 5, 2, 3, 7, 3},
                           {16, 33, 3, 0, 4, 40, 1},
                           {64, 17, 1, 0, 1, 1, 37},
                           {32, 20, 2, 1, 5, 4, 4},
                           {20, 32, 3, 1, 6, 5, 3}})
        BOOST_TEST_CONTEXT(s.in_c << "->" << s.out_c << ", taps " << s.taps << ", " << s.h << " x " << s.w << ", "
                                  << s.images << " images") {
            const RowPlan plan{s.h, s.w, s.padding, s.taps};
            const int pairs = (s.images + 1) / 2, taps = s.taps * s.taps, blocks = blocks_of(s.out_c);
            std::vector<Image> in(static_cast<std::size_t>(s.images), Image(s.h, s.w, s.in_c)),
                d_out(in.size(), Image(plan.out_h(), plan.out_w(), s.out_c));
            std::vector<Bfloat16> all_in, all_d_out;
            Draws draws(11);
            for (std::size_t n = 0; n < in.size(); ++n) {
                in[n].fill(draws);
                d_out[n].fill(draws);
                all_in.insert(all_in.end(), in[n].values.begin(), in[n].values.end());
                all_d_out.insert(all_d_out.end(), d_out[n].values.begin(), d_out[n].values.end());
            }
            const RowImages in_images{all_in.data(), s.h * in[0].row, in[0].row, in[0].pixel, s.images},
                d_out_images{all_d_out.data(), plan.out_h() * d_out[0].row, d_out[0].row, d_out[0].pixel, s.images};
            const auto gradient_size = static_cast<std::size_t>(blocks * taps * s.in_c * 16);
            std::vector<float> gradient(gradient_size), bias(static_cast<std::size_t>(blocks * 16));
            std::vector<double> sums(gradient_size), bias_sums(bias.size());
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = double{gradient[i] = draws.next()};
            for (std::size_t i = 0; i < bias.size(); ++i) bias_sums[i] = double{bias[i] = draws.next()};
            for (std::size_t n = 0; n < in.size(); ++n)
                for (int y = 0; y < plan.out_h(); ++y)
                    for (int x = 0; x < plan.out_w(); ++x)
                        for (int o = 0; o < s.out_c; ++o) {
                            const double g = double{value(d_out[n].at(y, x, o))};
                            bias_sums[static_cast<std::size_t>(o)] += g;
                            for (int tap = 0; tap < taps; ++tap) {
                                const int row = y + tap / s.taps - s.padding, column = x + tap % s.taps - s.padding;
                                if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
                                for (int c = 0; c < s.in_c; ++c)
                                    sums[static_cast<std::size_t>(((o / 16 * taps + tap) * s.in_c + c) * 16 +
                                                                  o % 16)] +=
                                        g * double{value(in[n].at(row, column, c))};
                            }
                        }

            const auto filled = [](int size) {
                return std::vector<Bfloat16>(static_cast<std::size_t>(size), Bfloat16(poison));
            };
            const std::vector<float> before = gradient, bias_before = bias;
            const int units = (s.in_c + 15) / 16 * taps;
            std::vector<float> whole;
            for (const int share : {units, 1, 2, 5}) {
                gradient = before;
                bias = bias_before;
                for (int block = 0; block < blocks; block += 2) {
                    const int here = std::min(2, blocks - block);
                    std::vector<Bfloat16> gradients = filled(here * plan.gradients(pairs) * 32);
                    kernels.lay_gradients({plan, d_out_images, block, block + here, gradients.data(), bias.data()});
                    for (int unit = 0; unit < units; unit += share) {
                        const int end = std::min(unit + share, units);
                        const int channels[] = {unit / taps * 16, ((end - 1) / taps + 1) * 16};
                        std::vector<Bfloat16> laid_rows = filled((channels[1] - channels[0]) * plan.inputs(pairs) * 2);
                        kernels.lay_inputs({plan, in_images, channels[0], channels[1], laid_rows.data()});
                        kernels.accumulate({plan, pairs, laid_rows.data(), channels[0], gradients.data(), s.in_c,
                                            gradient.data(), taps * s.in_c * 16, block, here, unit, end});
                    }
                }
                if (whole.empty()) whole = gradient;
                BOOST_TEST((gradient == whole), "units by " << share);
            }
            BOOST_TEST(EmulatedTiles::unconfigured_uses == 0);
            RelativeError error, bias_error;
            for (std::size_t i = 0; i < sums.size(); ++i) error.add(double{gradient[i]}, sums[i]);
            for (std::size_t i = 0; i < bias.size(); ++i) bias_error.add(double{bias[i]}, bias_sums[i]);
            BOOST_TEST(error.value() <= tolerance(s.images * s.h * s.w));
            BOOST_TEST(bias_error.value() <= tolerance(s.images * s.h * s.w) * 4);  // its terms cancel
        }
}

// f32 images, every tap's inputs being lines; channels laid out in two shares.
void gradient_of_f32_images_is_right(const RowKernels& kernels) {
    struct Shape {
        int c, out_c, taps, padding, h, w, images;
    };
    for (const Shape& s : {Shape{3, 33, 3, 1, 9, 7, 3}, {1, 16, 5, 2, 6, 6, 2}, {3, 32, 3, 0, 17, 18, 1}})
        BOOST_TEST_CONTEXT(s.c << "->" << s.out_c << ", taps " << s.taps << ", " << s.h << " x " << s.w << ", "
                               << s.images << " images") {
            const RowPlan plan{s.h, s.w, s.padding, s.taps};
            const int taps = s.taps * s.taps, channels = taps * s.c, laid = (channels + 15) / 16 * 16,
                      blocks = blocks_of(s.out_c);
            Draws draws(13);
            std::vector<float> images(static_cast<std::size_t>(s.images * s.h * s.w * s.c));
            for (float& v : images) v = draws.next();
            std::vector<Bfloat16> all_d_out;
            std::vector<Image> d_out(static_cast<std::size_t>(s.images), Image(plan.out_h(), plan.out_w(), s.out_c));
            for (Image& d : d_out) {
                d.fill(draws);
                all_d_out.insert(all_d_out.end(), d.values.begin(), d.values.end());
            }
            std::vector<float> gradient(static_cast<std::size_t>(blocks * channels * 16)),
                bias(static_cast<std::size_t>(blocks * 16));
            std::vector<double> sums(gradient.size()), bias_sums(bias.size());
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = double{gradient[i] = draws.next()};
            for (int n = 0; n < s.images; ++n)
                for (int y = 0; y < plan.out_h(); ++y)
                    for (int x = 0; x < plan.out_w(); ++x)
                        for (int o = 0; o < s.out_c; ++o) {
                            const double g = double{value(d_out[static_cast<std::size_t>(n)].at(y, x, o))};
                            bias_sums[static_cast<std::size_t>(o)] += g;
                            for (int channel = 0; channel < channels; ++channel) {
                                const int tap = channel / s.c, row = y + tap / s.taps - s.padding,
                                          column = x + tap % s.taps - s.padding;
                                if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
                                const float in = images[static_cast<std::size_t>(
                                    ((n * s.h + row) * s.w + column) * s.c + channel % s.c)];
                                sums[static_cast<std::size_t>((o / 16 * channels + channel) * 16 + o % 16)] +=
                                    g * double{in};
                            }
                        }
            RowTaps job;
            job.plan = plan;
            job.in = images.data();
            job.c = s.c;
            job.images = s.images;
            const RowPlan rows = plan.of_outputs();
            std::vector<Bfloat16> planes(static_cast<std::size_t>(job.size_of_planes()), Bfloat16(poison)),
                in(static_cast<std::size_t>(laid * rows.inputs(s.images) * 2), Bfloat16(poison));
            job.planes = planes.data();
            for (const auto& [begin, end] : {std::pair(0, 16), std::pair(16, laid)}) {
                job.channel_begin = begin;
                job.channel_end = end;
                job.to = in.data() + begin * rows.inputs(s.images) * 2;
                if (begin < end) kernels.lay_taps(job);
            }
            for (int block = 0; block < blocks; block += 2) {
                const int here = std::min(2, blocks - block);
                std::vector<Bfloat16> gradients(static_cast<std::size_t>(here * rows.gradients(s.images) * 32),
                                                Bfloat16(poison));
                kernels.lay_gradients(
                    {rows,
                     {all_d_out.data(), plan.out_h() * d_out[0].row, d_out[0].row, d_out[0].pixel, s.images, true},
                     block,
                     block + here,
                     gradients.data(),
                     bias.data()});
                kernels.accumulate({rows, s.images, in.data(), 0, gradients.data(), channels, gradient.data(),
                                    channels * 16, block, here, 0, laid / 16});
            }
            RelativeError error, bias_error;
            for (std::size_t i = 0; i < sums.size(); ++i) error.add(double{gradient[i]}, sums[i]);
            for (std::size_t i = 0; i < bias.size(); ++i) bias_error.add(double{bias[i]}, bias_sums[i]);
            BOOST_TEST(error.value() <= 0x1p-17);                                   // what two parts leave of a value
            BOOST_TEST(bias_error.value() <= tolerance(s.images * s.h * s.w) * 4);  // its terms cancel
        }
}

BOOST_AUTO_TEST_CASE(weight_gradient_by_emulated_tiles) {
    gradient_of_rows_is_right(emulated_row_kernels);
    gradient_of_f32_images_is_right(emulated_row_kernels);
}

#if defined(__x86_64__)
// Lines do not need tiles: where only those are missing, images are laid out as by the portable set.
BOOST_AUTO_TEST_CASE(rows_are_laid_out_as_by_the_portable_set,
                     *ut::precondition(has_set<InstructionSet::avx512_bf16>)) {
    const RowPlan plan{5, 7, 1, 3};
    std::vector<Bfloat16> images;
    Draws draws(12);
    for (int i = 0; i < 3 * 5 * 7 * 64; ++i) images.emplace_back(draws.next());
    const auto laid = [&](const RowKernels& kernels) {
        const RowImages three{images.data(), 5 * 7 * 64, 7 * 64, 64, 3};
        std::vector<Bfloat16> laid_rows(static_cast<std::size_t>(64 * plan.inputs(2) * 2), Bfloat16(poison)),
            gradients(static_cast<std::size_t>(4 * plan.gradients(2) * 32), Bfloat16(poison));
        kernels.lay_inputs({plan, three, 0, 64, laid_rows.data()});
        for (int block : {0, 2})
            kernels.lay_gradients(
                {plan, three, block, block + 2, gradients.data() + block * plan.gradients(2) * 32, nullptr});
        laid_rows.insert(laid_rows.end(), gradients.begin(), gradients.end());
        return laid_rows;
    };
    const auto wide = laid(*avx512_bf16::amx_pair_table.rows), portable = laid(emulated_row_kernels);
    BOOST_TEST(std::memcmp(wide.data(), portable.data(), wide.size() * sizeof(Bfloat16)) == 0);
}
BOOST_AUTO_TEST_CASE(weight_gradient_by_tiles, *ut::precondition(has_set<InstructionSet::amx>)) {
    BOOST_REQUIRE(tile_refusal() == "");
    gradient_of_rows_is_right(*pair_kernels(InstructionSet::amx).rows);
    gradient_of_f32_images_is_right(*pair_kernels(InstructionSet::amx).rows);
}
#endif

BOOST_AUTO_TEST_CASE(tables_say_which_set_they_are) {
    for (InstructionSet set : instruction_sets)
        if (set <= best_instruction_set()) BOOST_TEST((pair_kernels(set).set == set));
}

// Every bf16 number is itself; between two of them the nearer one is taken, the even one where both are equally near.
BOOST_AUTO_TEST_CASE(bfloat16_rounds_to_nearest_even) {
    int wrong = 0;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float x = std::bit_cast<float>(bits << 16);
        if (std::isnan(x)) {
            wrong +=
                !std::isnan(value(Bfloat16(x))) + !std::isnan(value(Bfloat16(std::bit_cast<float>(bits << 16 | 1))));
            continue;
        }
        wrong += Bfloat16(x).bits != bits;
        if (std::isinf(x)) continue;
        const auto from = [&](std::uint32_t lower) { return Bfloat16(std::bit_cast<float>(bits << 16 | lower)).bits; };
        wrong += from(0x7fff) != bits;
        wrong += from(0x8000) != bits + bits % 2;
        wrong += from(0x8001) != bits + 1;
    }
    BOOST_TEST(wrong == 0);
    BOOST_TEST(std::isnan(value(Bfloat16(std::bit_cast<float>(0x7fffffffu)))));
    BOOST_TEST(Bfloat16{}.bits == 0);
}

// Many at once are what each is by itself, from anywhere to anywhere and however many.
BOOST_AUTO_TEST_CASE(numbers_are_converted_as_one_is) {
    std::vector<float> numbers;
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits)
        for (const std::uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
            numbers.push_back(std::bit_cast<float>(bits << 16 | lower));
    std::vector<Bfloat16> narrowed(numbers.size());
    narrow(numbers.data(), narrowed.data(), static_cast<std::ptrdiff_t>(numbers.size()));
    int wrong = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) wrong += narrowed[i].bits != Bfloat16(numbers[i]).bits;
    BOOST_TEST(wrong == 0);
    std::vector<float> wide(narrowed.size());
    widen(narrowed.data(), wide.data(), static_cast<std::ptrdiff_t>(wide.size()));
    for (std::size_t i = 0; i < wide.size(); ++i)
        wrong += std::bit_cast<std::uint32_t>(wide[i]) != std::uint32_t{narrowed[i].bits} << 16;
    BOOST_TEST(wrong == 0);
    for (const std::ptrdiff_t first : {0, 1, 3})
        for (const std::ptrdiff_t count : {0, 1, 7, 17, 33}) {
            std::vector<Bfloat16> some(40, Bfloat16(-1.0f));
            narrow(numbers.data() + 100'000 + first, some.data() + first, count);
            for (std::ptrdiff_t i = 0; i < 40; ++i) {
                const bool asked = i >= first && i < first + count;
                const float expected = asked ? numbers[static_cast<std::size_t>(100'000 + i)] : -1.0f;
                wrong += some[static_cast<std::size_t>(i)].bits != Bfloat16(expected).bits;
            }
        }
    BOOST_TEST(wrong == 0);
}
