// links: command_line reference
// A convolution's three passes where it stands, in a network, on every backend: from what four more layers cost. Knows
// no kernel, so it serves them all; nominal operations, and their share of what registers can do in the same run.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../../tests/backend/passes.hpp"
#include "../shapes.hpp"
#include "../training/checks.hpp"
#include "../training/subjects.hpp"
#include "../worker.hpp"
#include "register_peak.hpp"

using namespace skewgrad;

namespace {

constexpr int images = 128;

// The layer in question comes once, or five times. What it reads and what comes back to it has been rectified.
template <int C, int Side>
struct Once : Network<Image<3, 32, 32>, Conv<C>, Relu, MaxPool<32 / Side>,  //
                      Conv<C>, Relu, MaxPool<Side / 4>, Dense<10>> {
    static constexpr const char* name = "once";
};
template <int C, int Side>
struct FiveTimes
    : Network<Image<3, 32, 32>, Conv<C>, Relu, MaxPool<32 / Side>,  //
              Conv<C>, Relu, Conv<C>, Relu, Conv<C>, Relu, Conv<C>, Relu, Conv<C>, Relu, MaxPool<Side / 4>, Dense<10>> {
    static constexpr const char* name = "five times";
};

/// Passes of one network over the same images. Some are contained in others, which then take so much longer.
enum class Pass { logits, pixels, pixels_keeping_values, weights };

template <class N, class B>
struct Passes {
    Model<N, B> model;
    skewgrad_tests::ModelPasses<Model<N, B>> passes;

    Passes(const TrainingData& some, const typename B::Context& on)
        : model(Seed{7}, on), passes(model, some.images(), some.labels(), images) {}

    void run(Pass pass) {
        if (pass == Pass::logits) return passes.forward(model);
        if (pass == Pass::weights) return passes.add_weight_gradients(model);
        passes.gradient(model, pass == Pass::pixels_keeping_values);
    }
};

double median(std::vector<double>& all) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle;
}

/// Seconds that four more layers take in a pass: medians of both networks, run in turns.
template <class Short, class Long>
double difference(Short& once, Long& five, Pass pass, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto time = [pass](auto& passes) {
        const auto start = Clock::now();
        passes.run(pass);
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    time(once), time(five);
    std::vector<double> few, many;
    const auto start = Clock::now();
    do {
        few.push_back(time(once));
        many.push_back(time(five));
    } while (std::chrono::duration<double>(Clock::now() - start).count() < seconds || few.size() < 3);
    return median(many) - median(few);
}

template <class B, std::size_t I>
void measure(const Splits& data, const worker::Settings& settings, double seconds) {
    constexpr shapes::Convolution shape = shapes::convolutions[I];
    static_assert(shape.in_c == shape.out_c, "a layer can only follow itself where it keeps its channels");
    using Short = Once<shape.out_c, shape.side>;
    using Long = FiveTimes<shape.out_c, shape.side>;
    const typename B::Context on(settings.threads);
    verify::against_reference<Long, B>(data.test, on);

    std::vector<std::uint32_t> first(images);
    std::iota(first.begin(), first.end(), 0u);
    const TrainingData some = data.train.of_items(first);
    Passes<Short, B> once(some, on);
    Passes<Long, B> five(some, on);
    const double most = peak::of(on), operations = 4 * images * shape.operations();
    const auto cost = [&](Pass pass) { return difference(once, five, pass, seconds); };
    const double forward = cost(Pass::logits), data_too = cost(Pass::pixels);
    const double weights = cost(Pass::weights) - cost(Pass::pixels_keeping_values);
    for (const auto& [name, own] : {std::pair("forward", forward), std::pair("backward data", data_too - forward),
                                    std::pair("backward weights", weights)}) {
        worker::Json line{{"backend", B::name()},
                          {"shape", shape.name},
                          {"pass", name},
                          {"images", images},
                          {"threads", on.threads()}};
        if (own > 0) line["gigaflops"] = operations / own * 1e-9;
        if (own > 0 && most > 0) line["peak_percent"] = 100 * operations / own / most;
        worker::say(line);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times convolutions in a network, pass by pass, from what four more of them cost"};
    worker::Settings settings;
    double seconds = 1;
    worker::add_settings(app, settings);
    add_number(app, "--seconds", seconds, 0.0, 3600.0, "For each layer and pass");
    return run_main(app, argc, argv, [&] {
        const Splits data = worker::images(settings);
        training::for_each_backend([&]<class B>(std::type_identity<B>) {
            const typename B::Context on(settings.threads);
            worker::say({{"backend", B::name()},
                         {"instruction_set", on.description()},
                         {"threads", on.threads()},
                         {"register_peak", peak::of(on) * 1e-9}});
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                (measure<B, I>(data, settings, seconds), ...);
            }(std::make_index_sequence<std::size(shapes::convolutions)>{});
        });
    });
}
