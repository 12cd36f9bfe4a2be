// The computation that both units do, seen by each through its own flags.
#pragma once
#include <skewgrad/data.hpp>
#include <skewgrad/nn/initialise.hpp>
#include <skewgrad/nn/network.hpp>
#include <skewgrad/sampling/samplers.hpp>

#include <bit>
#include <cstdint>
#include <vector>

// Internal linkage: each unit has its own, built with its own flags.
namespace {

using namespace skewgrad;

struct Small : Network<Image<3, 32, 32>, Conv<8>, Relu, MaxPool<2>, Dense<10>> {};

std::vector<std::uint32_t> compute(int threads) {
    std::vector<std::uint32_t> bits;
    const auto keep = [&](float x) { bits.push_back(std::bit_cast<std::uint32_t>(x)); };
    const auto data = Embedded{.train_per_class = 30, .test_per_class = 2}.load(threads);
    const auto parts = hold_out(data.train, {.per_class = 10, .seed = Seed{7}});
    const auto skewed = Sampler<Under>{.skewed_class = Label{3}, .count = 9}(parts.fit, Seed{7});
    for (const std::uint32_t item : skewed.items()) bits.push_back(item);
    for (const float x : skewed.images()) keep(x);
    std::vector<float> weights(Small::state_size);
    initialise<Small, float>(Seed{7}, weights);
    for (const float w : weights) keep(w);
    return bits;
}

}  // namespace
