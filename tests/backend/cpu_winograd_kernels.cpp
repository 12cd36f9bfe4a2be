// Winograd's transforms on every instruction set against their matrices in double: strips, edges, shares of rows.
#define BOOST_TEST_MODULE backend_cpu_winograd_kernels
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <limits>
#include <skewgrad/backend/cpu/kernels/table.hpp>
#include <skewgrad/backend/host/buffer.hpp>
#include <span>
#include <utility>
#include <vector>

#include "backend/relu_masks.hpp"
#include "backend/sets.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad::cpu;
using namespace skewgrad_tests;

namespace {

using Matrix = std::vector<std::vector<double>>;
// Lavin and Gray 2016, section 4.
const Matrix input_rows{{4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
                        {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1}};
const Matrix weight_rows{{1. / 4, 0, 0},
                         {-1. / 6, -1. / 6, -1. / 6},
                         {-1. / 6, 1. / 6, -1. / 6},
                         {1. / 24, 1. / 12, 1. / 6},
                         {1. / 24, -1. / 12, 1. / 6},
                         {0, 0, 1}};
const Matrix output_rows{{1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1}};

Matrix transposed(const Matrix& m) {
    Matrix t(m[0].size(), std::vector<double>(m.size()));
    for (std::size_t i = 0; i < m.size(); ++i)
        for (std::size_t j = 0; j < m[0].size(); ++j) t[j][i] = m[i][j];
    return t;
}
/// rows x values x rows^T, values(i, j) being given.
template <class Values>
double both_sides(const Matrix& rows, std::size_t i, std::size_t j, Values values) {
    double sum = 0;
    for (std::size_t k = 0; k < rows[0].size(); ++k)
        for (std::size_t l = 0; l < rows[0].size(); ++l) sum += rows[i][k] * values(int(k), int(l)) * rows[j][l];
    return sum;
}

// 13 x 11 pixels of 32 channels, images that no tile divides; one row of tiles that begins outside.
constexpr int h = 11, w = 13, channels = 32, tiles = 4;
struct Fixture {
    host::Buffer<float> image{std::size_t{h * w * channels}}, zeros{6 * channels};
    std::ptrdiff_t apart = tiles * channels + 16;
    host::Buffer<float> planes{static_cast<std::size_t>(36 * apart)};
    Fixture() {
        for (std::size_t i = 0; i < image.size(); ++i)
            image.data()[i] = random_number(5, static_cast<std::uint32_t>(i)) - 0.5f;
        std::fill_n(planes.data(), planes.size(), std::numeric_limits<float>::quiet_NaN());
    }
    double pixel(int y, int x, int c) const {
        return y >= 0 && y < h && x >= 0 && x < w ? image.data()[(y * w + x) * channels + c] : 0;
    }
    WinogradStrip<const float> strip(int y, int x) const {
        return {image.data(), w * channels, channels, h, w, y, x, tiles};
    }
    float place(int xi, int t, int c) const { return planes.data()[xi * apart + t * channels + c]; }
    double worst(const Matrix& rows, int y, int x, int row_begin, int row_end) const {
        double most = 0;
        for (int i = row_begin; i < row_end; ++i)
            for (int j = 0; j < 6; ++j)
                for (int t = 0; t < tiles; ++t)
                    for (int c = 0; c < channels; ++c) {
                        const double exact = both_sides(rows, std::size_t(i), std::size_t(j),
                                                        [&](int k, int l) { return pixel(y + k, x + 4 * t + l, c); });
                        most = std::max(most, std::abs(place(6 * i + j, t, c) - exact));
                    }
        return most;
    }
};

// Sums of at most 36 pixels below 1/2 with coefficients of at most 25: 25 half ulps of 32 are far above what is seen.
constexpr double close = 2e-5;

BOOST_AUTO_TEST_CASE(pixels_go_to_planes) {
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(name(set)) {
            for (const int y : {-1, 3, 7, 8}) {
                Fixture f;
                kernels(set).winograd_to_input({f.strip(y, -1), {f.planes.data(), f.apart, channels}, f.zeros.data()});
                BOOST_TEST(f.worst(input_rows, y, -1, 0, 6) < close);
                Fixture g;
                kernels(set).winograd_to_gradient(
                    {g.strip(y, 0), {g.planes.data(), g.apart, channels}, g.zeros.data()});
                BOOST_TEST(g.worst(transposed(output_rows), y, 0, 0, 6) < close);
            }
        }
}

BOOST_AUTO_TEST_CASE(rows_of_places_are_computed_apart_to_the_same_bits) {
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(name(set)) {
            Fixture whole, parts;
            const auto& k = kernels(set);
            k.winograd_to_input({whole.strip(3, -1), {whole.planes.data(), whole.apart, channels}, whole.zeros.data()});
            for (const auto& [begin, end] : {std::pair(0, 1), std::pair(1, 4)})
                k.winograd_to_input(
                    {parts.strip(3, -1), {parts.planes.data(), parts.apart, channels}, parts.zeros.data(), begin, end});
            for (int xi = 0; xi < 24; ++xi)
                BOOST_TEST(std::equal(whole.planes.data() + xi * whole.apart,
                                      whole.planes.data() + xi * whole.apart + tiles * channels,
                                      parts.planes.data() + xi * parts.apart));
            BOOST_TEST(std::isnan(parts.place(24, 0, 0)));  // not asked for, not written
        }
}

BOOST_AUTO_TEST_CASE(planes_go_to_pixels_inside_the_image_only) {
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(name(set)) {
            for (const auto& [rectify, masked] :
                 {std::pair(false, false), std::pair(true, false), std::pair(false, true)}) {
                Fixture f;
                const auto open = relu_masks::of(std::span<const float>(f.image.data(), h * w * channels));
                for (std::size_t i = 0; i < f.planes.size(); ++i)
                    f.planes.data()[i] = random_number(6, static_cast<std::uint32_t>(i)) - 0.5f;
                host::Buffer<float> out{std::size_t{h * w * channels}}, bias{channels};
                std::fill_n(out.data(), out.size(), 77.0f);
                for (int c = 0; c < channels; ++c) bias.data()[c] = 0.25f * static_cast<float>(c % 3);
                const int y = 8;  // three rows of four are inside, and one column of the last tile
                kernels(set).winograd_to_output({{f.planes.data(), f.apart, channels},
                                                 {out.data(), w * channels, channels, h, w, y, 0, tiles},
                                                 bias.data(),
                                                 rectify,
                                                 masked ? open.data() : nullptr});
                double most = 0;
                for (int row = 0; row < h; ++row)
                    for (int x = 0; x < w; ++x)
                        for (int c = 0; c < channels; ++c) {
                            double wanted = 77;
                            if (row >= y) {
                                wanted = bias.data()[c] +
                                         both_sides(output_rows, std::size_t(row - y), std::size_t(x % 4),
                                                    [&](int k, int l) { return f.place(6 * k + l, x / 4, c); });
                                if (rectify) wanted = std::max(wanted, 0.0);
                                if (masked && !(f.pixel(row, x, c) > 0)) wanted = 0;
                            }
                            most = std::max(most, std::abs(out.data()[(row * w + x) * channels + c] - wanted));
                        }
                BOOST_TEST(most < 2e-4);  // coefficients of up to 64
            }
        }
}

// A few pixels that are not zero in one channel, at all positions of tiles: a negative zero is zero, a NaN is not.
BOOST_AUTO_TEST_CASE(what_nothing_reaches_is_known_and_gets_the_bias_alone) {
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(name(set)) {
            for (int only = 0; only < h * w; only += 3)
                for (const int y : {-1, 3, 7}) {
                    Fixture f;
                    std::fill_n(f.image.data(), f.image.size(), -0.0f);
                    f.image.data()[only * channels + only % channels] =
                        only % 2 ? 1e-30f : std::numeric_limits<float>::quiet_NaN();
                    Reached reached[tiles];
                    WinogradScatter scatter{f.strip(y, -1), {f.planes.data(), f.apart, channels}, f.zeros.data()};
                    scatter.reached = reached;
                    kernels(set).winograd_to_input(scatter);
                    host::Buffer<float> out{std::size_t{h * w * channels}}, bias{channels};
                    for (int c = 0; c < channels; ++c) bias.data()[c] = 0.3f - 0.25f * static_cast<float>(c % 3);
                    const auto open = relu_masks::of(std::span<const float>(f.image.data(), h * w * channels));
                    std::fill_n(f.planes.data(), f.planes.size(), 1.0f);  // rounding errors and worse
                    for (const bool masked : {false, true}) {
                        std::fill_n(out.data(), out.size(), 77.0f);
                        kernels(set).winograd_to_output({{f.planes.data(), f.apart, channels},
                                                         {out.data(), w * channels, channels, h, w, y + 1, 0, tiles},
                                                         bias.data(),
                                                         true,
                                                         masked ? open.data() : nullptr,
                                                         reached});
                        bool right = true;
                        for (int row = y + 1; row < std::min(h, y + 5); ++row)
                            for (int x = 0; x < w; ++x) {
                                const bool near = std::abs(row - only / w) <= 1 && std::abs(x - only % w) <= 1;
                                right = right && (reached[x / 4] >> (6 * (x % 4) + row - y - 1) & 1) == near;
                                for (int c = 0; c < channels && !near; ++c)
                                    right = right && out.data()[(row * w + x) * channels + c] ==
                                                         (masked ? 0 : std::max(bias.data()[c], 0.0f));
                            }
                        BOOST_TEST(right);
                    }
                }
        }
}

BOOST_AUTO_TEST_CASE(weights_go_to_planes_and_their_gradients_back) {
    constexpr int in_c = 5, blocks = 2, tap = in_c * channel_block;
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(name(set)) {
            host::Buffer<float> packed{blocks * 9 * tap}, planes{36 * blocks * tap}, back{blocks * 9 * tap};
            for (std::size_t i = 0; i < packed.size(); ++i)
                packed.data()[i] = random_number(7, static_cast<std::uint32_t>(i)) - 0.5f;
            kernels(set).winograd_to_weights({packed.data(), planes.data(), in_c, blocks, 0, blocks});
            kernels(set).winograd_to_weight_gradient({planes.data(), back.data(), in_c, blocks, 0, 1});
            kernels(set).winograd_to_weight_gradient({planes.data(), back.data(), in_c, blocks, 1, 2});
            double forward = 0, backward = 0;
            for (int block = 0; block < blocks; ++block)
                for (int e = 0; e < tap; ++e) {
                    const auto weight = [&](int k, int l) { return packed.data()[(block * 9 + 3 * k + l) * tap + e]; };
                    const auto plane = [&](int k, int l) {
                        return planes.data()[((6 * k + l) * blocks + block) * tap + e];
                    };
                    for (int i = 0; i < 6; ++i)
                        for (int j = 0; j < 6; ++j)
                            forward = std::max(forward, std::abs(plane(i, j) - both_sides(weight_rows, std::size_t(i),
                                                                                          std::size_t(j), weight)));
                    for (int i = 0; i < 3; ++i)
                        for (int j = 0; j < 3; ++j)
                            backward = std::max(backward, std::abs(back.data()[(block * 9 + 3 * i + j) * tap + e] -
                                                                   both_sides(transposed(weight_rows), std::size_t(i),
                                                                              std::size_t(j), plane)));
                }
            BOOST_TEST(forward < 1e-6);
            BOOST_TEST(backward < 1e-6);
        }
}

}  // namespace
