// Dropout's stage: which elements a visit of an image loses, by how much the others grow, the same way back; and in
// passes whose first stages run in small blocks.
#define BOOST_TEST_MODULE backend_dropout
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/nn/initialise.hpp>
#include <utility>
#include <vector>
#include <xtensor/xtensor.hpp>
#include <xtensor/xview.hpp>

#include "backend/passes.hpp"

using namespace skewgrad;
using B = Cpu<f32>;

namespace {

constexpr Shape shape{5, 3, 4};
constexpr plan::Layout padded = B::layout(shape, false), compact = B::layout(shape, true);
static_assert(padded.size == 16 * 12 && compact.size == 60);

/// Visits of images, and what their masks are keyed on.
struct Batch {
    std::vector<Pick> picks;
    DrawKeys keys{};
    MaskKeys masks() const { return {&keys, picks.data(), static_cast<int>(picks.size())}; }
};
const std::vector<Pick> picks{{70'000, 0}, {3, 0}, {3, 1}};
const Batch batch{picks, {Seed{0xabcdef0123456789}, 9}};

/// What comes out for an input of ones, one value an element; stale numbers lie where it is written.
template <int Percent>
std::vector<float> masks(const Batch& of, std::uint16_t node = 6, bool backward = false, bool drops = true) {
    B::Context on(2);
    plan::Site<B> site;
    site.in = compact;
    site.out = padded;
    site.node = node;
    const auto images = static_cast<int>(of.picks.size());
    std::vector<float> small(of.picks.size() * compact.size, 1), large(of.picks.size() * padded.size, 1);
    auto& to = backward ? small : large;
    std::fill(to.begin(), to.end(), std::numeric_limits<float>::quiet_NaN());
    plan::Call<B> call{.on = on, .site = site, .images = images, .pass = {.masks = drops ? of.masks() : MaskKeys{}}};
    call.in = small.data();
    call.out = large.data();
    call.d_out = large.data();
    call.d_in = small.data();
    using Stage = plan::Stage<B, Dropout<Percent>>;
    backward ? Stage::backward_data(call) : Stage::forward(call);
    std::vector<float> found;
    const plan::Layout& layout = backward ? compact : padded;
    for (std::size_t n = 0; n < of.picks.size(); ++n)
        for (int h = 0; h < shape.h; ++h)
            for (int w = 0; w < shape.w; ++w)
                for (int c = 0; c < shape.c; ++c) found.push_back(to[n * layout.size + layout(c, h, w)]);
    if (!backward)
        for (std::size_t i = 0; i < large.size(); ++i)
            if (i % 16 >= 5) BOOST_REQUIRE(large[i] == 0);  // channels that fill up a pixel
    return found;
}

// Element (h W + w) C + c of an image reads 16 bits: two a word, eight a block, the low half first.
BOOST_AUTO_TEST_CASE(an_element_is_dropped_when_its_16_bits_are_below_p) {
    const auto found = masks<25>(batch);
    std::size_t at = 0;
    for (const Pick pick : picks)
        for (std::uint32_t e = 0; e < 60; ++e) {
            const std::array<std::uint32_t, 4> words = draw({.seed = batch.keys.seed,
                                                             .purpose = Purpose::dropout,
                                                             .node = 6,
                                                             .item = pick.item,
                                                             .epoch = 9,
                                                             .copy = static_cast<std::uint8_t>(pick.copy)},
                                                            e / 8);
            const std::uint32_t word = words[e / 2 % 4];
            const std::uint32_t bits = e % 2 == 0 ? word & 0xffff : word >> 16;
            BOOST_REQUIRE(found[at++] == (bits < 0.25 * 65536 ? 0 : 4.0f / 3.0f));
        }
    BOOST_TEST(at == found.size());
}

BOOST_AUTO_TEST_CASE(the_way_back_has_the_same_mask) {
    BOOST_TEST((masks<25>(batch, 6, true) == masks<25>(batch)));
    BOOST_TEST((masks<50>(batch, 2, true) == masks<50>(batch, 2)));
}

template <int Percent>
void has_its_share() {
    std::vector<Pick> many(400);
    for (std::uint32_t i = 0; i < many.size(); ++i) many[i].item = i;
    const auto found = masks<Percent>(Batch{many, {Seed{1}}});
    const float kept = static_cast<float>(100.0 / (100 - Percent));
    double dropped = 0;
    for (const float v : found) {
        BOOST_REQUIRE((v == 0 || v == kept));
        dropped += v == 0;
    }
    const double p = Percent / 100.0, n = static_cast<double>(found.size());
    BOOST_TEST(std::abs(dropped / n - p) < 5 * std::sqrt(p * (1 - p) / n));
}
BOOST_AUTO_TEST_CASE(the_share_dropped_is_p) {
    has_its_share<1>();
    has_its_share<25>();
    has_its_share<50>();
    has_its_share<99>();
}

BOOST_AUTO_TEST_CASE(nothing_is_dropped_at_zero_or_outside_training) {
    const std::vector<float> ones(180, 1);
    BOOST_TEST((masks<0>(batch) == ones));
    BOOST_TEST((masks<0>(batch, 6, true) == ones));
    for (const bool backward : {false, true}) BOOST_TEST((masks<50>(batch, 6, backward, false) == ones));
}

// Image, copy, epoch, seed and place in the network each make another mask; the batch does not.
BOOST_AUTO_TEST_CASE(a_mask_is_the_visits_own) {
    const auto one = [](Pick pick, std::uint32_t epoch, Seed seed, std::uint16_t node) {
        const std::vector<Pick> alone{pick};
        return masks<50>(Batch{alone, {seed, epoch}}, node);
    };
    const auto mask = one({3, 1}, 9, batch.keys.seed, 6);
    const auto together = masks<50>(batch);
    BOOST_TEST(std::equal(mask.begin(), mask.end(), together.begin() + 120));
    BOOST_TEST((one({4, 1}, 9, batch.keys.seed, 6) != mask));
    BOOST_TEST((one({3, 0}, 9, batch.keys.seed, 6) != mask));
    BOOST_TEST((one({3, 1}, 8, batch.keys.seed, 6) != mask));
    BOOST_TEST((one({3, 1}, 9, Seed{1}, 6) != mask));
    BOOST_TEST((one({3, 1}, 9, batch.keys.seed, 7) != mask));
}

struct Drops : Network<Image<3, 12, 10>, Conv<8>, Relu, MaxPool<2>, Dropout<50>, Conv<8>, Relu, Dropout<25>, Dense<4>> {
};

// An attack's pass runs its first stages eight images at a time, on any thread; a training's runs all together.
BOOST_AUTO_TEST_CASE(small_blocks_have_the_masks_of_their_images) {
    using M = Model<Drops, B>;
    BOOST_TEST(M::plan().cache_blocked_stages > 0);
    constexpr std::uint32_t count = 61;
    auto x = xt::xtensor<float, 4>::from_shape({count, 3, 12, 10});
    const Stream stream{.seed = Seed{5}, .purpose = Purpose::noise};
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = uniform(draw_word(stream, static_cast<std::uint32_t>(i)));
    std::vector<Label> labels;
    std::vector<Pick> visits;
    for (std::uint32_t n = 0; n < count; ++n) {
        labels.push_back(static_cast<Label>(n % 4));
        visits.push_back({1000 - n * n, static_cast<std::uint16_t>(n % 3)});
    }
    const DrawKeys keys{Seed{77}, 4};
    const auto pass = [&](std::size_t first) { return Pass{.draws = &keys, .picks = visits.data() + first}; };

    const M model(Seed{1}, B::Context(1));
    skewgrad_tests::ModelPasses<M> together(model, x, labels, count);
    together.gradient(model, true, pass(0));
    const auto logits = together.logits();
    const auto dx = together.dx();
    together.gradient(model, true);
    BOOST_TEST((together.logits() != logits));  // some elements are dropped
    for (const int threads : {1, 2, 3}) {
        const M same(Seed{1}, B::Context(threads));
        skewgrad_tests::ModelPasses<M> blocks(same, x, labels, 32);
        blocks.gradient(same, false, pass(0));
        BOOST_TEST((blocks.logits() == logits));
        BOOST_TEST((blocks.dx() == dx));
    }
    for (const std::size_t n : {0u, 7u, 8u, 40u, count - 1}) {
        const auto one = xt::xtensor<float, 4>(xt::view(x, xt::range(n, n + 1)));
        skewgrad_tests::ModelPasses<M> alone(model, one, std::vector<Label>{labels[n]});
        alone.gradient(model, false, pass(n));
        const auto z = alone.logits();
        BOOST_TEST(std::equal(z.begin(), z.end(), logits.begin() + static_cast<std::ptrdiff_t>(n) * M::classes));
    }
}

}  // namespace
