// What every consumer builds: a network as a type, a skewed sample of the embedded set, initial weights.
#include <skewgrad/data.hpp>
#include <skewgrad/nn/initialise.hpp>
#include <skewgrad/nn/network.hpp>
#include <skewgrad/sampling/samplers.hpp>

#include <cstdio>
#include <vector>

using namespace skewgrad;

struct Small : Network<Image<3, 32, 32>, Conv<8>, Relu, MaxPool<2>, Dense<10>> {};
static_assert(Small::parameter_count == 8 * 3 * 9 + 8 + 8 * 16 * 16 * 10 + 10);

int main() {
    const auto data = Embedded{.train_per_class = 20, .test_per_class = 1}.load();
    const auto skewed = Sampler<Under>{.skewed_class = Label{3}, .count = 5}(data.train, Seed{7});
    std::vector<float> weights(Small::state_size);
    initialise<Small, float>(Seed{7}, weights);
    const bool right = skewed.counts()[3] == 5 && skewed.counts()[4] == 20 && weights[0] != 0.0f;
    std::printf("%s\n", right ? "right" : "wrong");
    return right ? 0 : 1;
}
