// The memory plan of host backends: who lives when, that no two of them share memory, and that memory is shared at all.
#define BOOST_TEST_MODULE backend_workspace
#include <algorithm>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/model/model.hpp>
#include <skewgrad/nn/network.hpp>
#include <vector>

#include "backend/layers.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
using plan::assign_offsets;
using plan::LiveRange;

namespace {

bool lives(const LiveRange& t) { return t.to >= t.from && t.size > 0; }

// Two that live at one moment and share an element; or one beyond the arena.
int conflicts(const std::vector<LiveRange>& all, std::size_t arena) {
    int found = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!lives(all[i])) continue;
        found += all[i].offset + all[i].size > arena;
        for (std::size_t j = 0; j < i; ++j) {
            if (!lives(all[j])) continue;
            const bool meet = all[i].from <= all[j].to && all[j].from <= all[i].to;
            const bool overlap =
                all[i].offset < all[j].offset + all[j].size && all[j].offset < all[i].offset + all[i].size;
            found += meet && overlap;
        }
    }
    return found;
}

BOOST_AUTO_TEST_CASE(no_two_living_ranges_overlap) {
    std::uint32_t word = 0;
    const Stream stream{.seed = Seed{3}, .purpose = Purpose::noise};
    const auto below = [&](std::uint32_t bound) { return draw_word(stream, word++) % bound; };
    std::size_t arenas = 0, sizes = 0;
    for (int plan = 0; plan < 500; ++plan) {
        std::vector<LiveRange> all(1 + below(24));
        for (LiveRange& t : all) {
            t.from = static_cast<int>(below(20));
            t.to = t.from + static_cast<int>(below(8)) - 1;  // one in eight never lives
            t.size = 16 * below(6);                          // one in six takes nothing
        }
        const std::size_t arena = assign_offsets(all);
        BOOST_REQUIRE(conflicts(all, arena) == 0);
        // No less than what lives at the fullest moment.
        std::size_t fullest = 0;
        for (int moment = 0; moment < 30; ++moment) {
            std::size_t now = 0;
            for (const LiveRange& t : all)
                if (lives(t) && t.from <= moment && moment <= t.to) now += t.size;
            fullest = std::max(fullest, now);
        }
        BOOST_REQUIRE(arena >= fullest);
        arenas += arena;
        for (const LiveRange& t : all) sizes += lives(t) ? t.size : 0;
    }
    BOOST_TEST(2 * arenas < sizes);
}

struct Chain
    : Network<Image<3, 8, 8>, Conv<20>, Relu, Conv<20>, Softplus, MaxPool<2>, Conv<8>, Dense<33>, Relu, Dense<5>> {};
struct OneBranch : Network<Image<3, 6, 6>, Residual<Conv<3>>, AveragePool<6>, Dense<3>> {};
struct TwiceTheImage : Network<Image<40, 9, 9>, Residual<>, AveragePool<9>> {};
struct Branches : Network<Image<3, 5, 4>, Residual<Conv<3>, Softplus>, Relu,
                          Residual<Residual<Conv<3, 1>, Relu, Conv<3>>, Relu>, Residual<>, Dense<3>> {};
using Networks = boost::mpl::list<Chain, OneBranch, TwiceTheImage, Branches>;

// Every read of a value or a gradient, in training's order, falls into its time.
BOOST_AUTO_TEST_CASE_TEMPLATE(everything_lives_when_it_is_used, N, Networks) {
    using B = Cpu<f32>;
    const auto& plan = Model<N, B>::plan();
    const auto values = plan.values.size();
    const int stages = static_cast<int>(plan.sites.size());
    BOOST_TEST(plan.cache_blocked_stages > 0);
    for (const Mode mode : {Mode::evaluate, Mode::attack, Mode::train}) {
        auto all = plan::live_ranges(plan, mode);
        const plan::RangeNumbers number(plan);
        for (const bool passing : {false, true}) {
            const std::size_t arena = assign_offsets(all, passing);
            auto some = all;
            for (LiveRange& t : some)
                if (t.passes != passing) t = {};
            BOOST_TEST(conflicts(some, arena) == 0);
        }
        const auto is_there = [&](std::size_t range, int moment, std::size_t size) {
            const LiveRange& t = all[range];
            BOOST_TEST((t.from <= moment && moment <= t.to && t.size >= size), "range " << range << " at " << moment);
        };
        for (int s = 0; s < stages; ++s) {
            const auto& site = plan.sites[static_cast<std::size_t>(s)];
            const int again = 2 * stages - 1 - s;
            // What a thread has by itself, other stages than the first do not see, nor the way back.
            const auto passes = [&](std::size_t range) { return all[range].passes; };
            const bool blocked = s < plan.cache_blocked_stages;
            const std::size_t spare = number.spare(blocked && mode == Mode::attack);
            const auto used = [&](int value, bool input) {
                if (value <= 0) return;
                const auto v = static_cast<std::size_t>(value);
                const std::size_t size = plan.bytes(value);
                is_there(v, s, size);
                BOOST_TEST(!(passes(v) && (!blocked || plan.kept(value, mode))));
                if (plan.kept(value, mode)) is_there(v, again, size);
                if (mode == Mode::evaluate) return;
                is_there(values + v, again, size);
                BOOST_TEST(!(passes(values + v) && (!blocked || mode == Mode::train)));
                if (input && (site.adds_to_in || site.adds_to_second)) is_there(spare, again, size);
            };
            used(site.out_value, false);
            used(site.in_value, true);
            used(site.second_value, true);
            if (mode != Mode::evaluate && site.needs.memory.record > 0) {
                is_there(number.record(s), s, site.needs.memory.record);
                is_there(number.record(s), again, site.needs.memory.record);
                BOOST_TEST(!passes(number.record(s)));
            }
            if (mode != Mode::evaluate &&
                ((site.in_value == 0 && site.adds_to_in) || (site.second_value == 0 && site.adds_to_second)))
                is_there(spare, again, plan.bytes(0));  // the gradient at the image is joined, too
        }
        const auto last = static_cast<std::size_t>(plan.last_value);
        is_there(last, stages, plan.bytes(plan.last_value));  // the loss reads the logits between forward and backward
        if (mode != Mode::evaluate) is_there(values + last, stages - 1, plan.bytes(plan.last_value));
    }
}

BOOST_AUTO_TEST_CASE(evaluation_keeps_only_neighbours) {
    using P = Cpu<f32>::Operations;
    const auto& plan = P::plan<Chain>();
    auto evaluate = plan::live_ranges(plan, Mode::evaluate), train = plan::live_ranges(plan, Mode::train);
    // The largest stage reads and writes 20 channels, padded to 32, of 8 x 8 pixels. What small blocks leave for the
    // dense layers, 8 channels, padded to 16, of 4 x 4 pixels, meets the first of these, 33 wide.
    BOOST_TEST(assign_offsets(evaluate, true) == 2u * 32 * 64 * sizeof(float));
    BOOST_TEST(assign_offsets(evaluate) == (16u * 16 + 48) * sizeof(float));
    BOOST_TEST(assign_offsets(train) > 4u * 32 * 64 * sizeof(float));
    const Cpu<f32>::Context on(2);
    BOOST_TEST(P::bytes(on, plan, Mode::evaluate, 8).workspace < P::bytes(on, plan, Mode::train, 8).workspace);
    BOOST_TEST(P::bytes(on, plan, Mode::evaluate, 8).parameters == P::bytes(on, plan, Mode::train, 8).parameters);
}

}  // namespace
