// links: command_line reference
// A convolution's three passes where it stands, in a network, on every backend: from what four more layers cost. Knows
// no kernel, so it serves them all; nominal operations, and their share of what registers can do in the same run.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

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

/// One network's three kinds of pass over the same images, each contained in the next.
template <class N, class B>
struct Passes {
    using M = Model<N, B>;
    training::Course<N, B> course;
    const M& model = course.model;
    std::vector<Label> labels;
    typename M::Images x, dx;
    typename M::Workspace evaluating, attacking;

    Passes(const TrainingData& data, const TrainingData& some, typename B::Context on)
        : course(data, images, std::move(on)),
          labels(some.labels()),
          x(model.load(some)),
          dx(model.copy(x)),
          evaluating(model.workspace(Mode::evaluate, images)),
          attacking(model.workspace(Mode::attack, images)) {}

    void run(int kind) {
        if (kind == 0) model.logits(x, evaluating, {});
        if (kind == 1) model.gradient(x, labels, attacking, dx, {}, {});
        if (kind == 2) course.session.advance();
    }
};

double median(std::vector<double>& all) {
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), middle, all.end());
    return *middle;
}

/// Seconds that four more layers take in each kind of pass: medians of both networks, run in turns.
template <class Short, class Long>
double difference(Short& once, Long& five, int kind, double seconds) {
    using Clock = std::chrono::steady_clock;
    const auto time = [kind](auto& passes) {
        const auto start = Clock::now();
        passes.run(kind);
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
    Passes<Short, B> once(data.train, some, on);
    Passes<Long, B> five(data.train, some, on);
    const double most = peak::of(on), operations = 4 * images * shape.operations();
    double before = 0;
    int kind = 0;
    for (const char* name : {"forward", "backward data", "backward weights"}) {
        const double so_far = difference(once, five, kind++, seconds), own = so_far - before;
        before = so_far;
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
