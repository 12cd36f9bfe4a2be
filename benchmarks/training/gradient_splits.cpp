// links: command_line
// Two ways for threads to share the gradients of a batch: they share a layer's weights, and each sums its own over all
// images (what the library does: the same bits for any number of threads); or they share the images, each with
// gradients of its own, which are then added. Measured on whole passes, forward and backward.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <iostream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>

#include "../../tests/backend/passes.hpp"
#include "../worker.hpp"
#include "subjects.hpp"

using namespace skewgrad;

namespace {

double seconds_of(const auto& work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> all) {
    std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
    return all[all.size() / 2];
}

/// Both ways in turns; milliseconds a batch. A sum over images that threads share differs in its last bits only.
template <class B>
std::pair<double, double> measure(const TrainingData& data, int batch, int threads, int repeats) {
    using Net = training::PaperNetwork;
    const auto share = [&](int lane) { return share_of(batch, lane, threads); };
    const auto images = [&](int begin, int end) {
        std::vector<std::uint32_t> items;
        for (int i = begin; i < end; ++i) items.push_back(static_cast<std::uint32_t>(i));
        return data.of_items(items);
    };
    const Model<Net, B> together(Seed{7}, typename B::Context(threads)), alone(Seed{7}, typename B::Context(1));
    using Passes = skewgrad_tests::ModelPasses<Model<Net, B>>;
    const auto all = images(0, batch);
    Passes whole(together, all.images(), all.labels(), std::min(batch, 32));
    std::vector<float> by_weights(Net::state_size), by_images(Net::state_size);

    struct Lane {
        Passes passes;
        std::size_t images;
        std::vector<float> gradient;
    };
    std::vector<Lane> lanes;
    for (int lane = 0; lane < threads; ++lane) {
        const auto part = images(share(lane).begin, share(lane).end);
        lanes.push_back({Passes(alone, part.images(), part.labels(), std::min(static_cast<int>(part.size()), 32)),
                         part.size(), std::vector<float>(Net::state_size)});
    }
    const auto images_shared = [&] {
        std::vector<std::jthread> team;
        for (Lane& lane : lanes) team.emplace_back([&] { lane.gradient = lane.passes.weights(alone); });
        team.clear();
        parallel_ranges(threads, static_cast<int>(by_images.size()), [&](int, int begin, int end) {
            for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
                by_images[i] = 0;
                for (std::size_t lane = 0; lane < lanes.size(); ++lane)
                    by_images[i] +=
                        lanes[lane].gradient[i] * static_cast<float>(lanes[lane].images) / static_cast<float>(batch);
            }
        });
    };
    std::vector<double> a, b;
    for (int i = 0; i < repeats; ++i) {
        a.push_back(seconds_of([&] { by_weights = whole.weights(together); }));
        b.push_back(seconds_of(images_shared));
    }
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < by_weights.size(); ++i) {
        difference += std::pow(double{by_images[i]} - double{by_weights[i]}, 2);
        size += std::pow(double{by_weights[i]}, 2);
    }
    if (const double error = std::sqrt(difference / size); !(error < 1e-2))
        throw Error("the two ways differ by " + fixed(error, 6) + " of the gradient");
    return {1000 * median(a), 1000 * median(b)};
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times two ways for threads to share the gradients of a batch"};
    worker::Settings settings;
    int repeats = 31;
    worker::add_settings(app, settings);
    add_number(app, "--repeats", repeats, 3, 10'000, "Batches of each kind; the median counts");
    return run_main(app, argc, argv, [&] {
        const Splits data = worker::images(settings);
        Table table({{.title = "precision", .align = Align::left},
                     {.title = "batch"},
                     {.title = "weights shared, ms", .decimals = 1},
                     {.title = "images shared, ms", .decimals = 1},
                     {.title = "ratio", .decimals = 2}});
        training::for_each_backend([&]<class B>(std::type_identity<B>) {
            for (const int batch : {32, 128}) {
                const auto [weights, images] = measure<B>(data.train, batch, settings.threads, repeats);
                table.add({B::name(), batch, weights, images, images / weights});
            }
        });
        std::cout << to_text(table) << settings.threads << " threads; ratio: images shared / weights shared.\n";
    });
}
