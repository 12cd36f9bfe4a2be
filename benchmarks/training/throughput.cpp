// links: command_line reference
// cuda
// Images a second of whole works (training, forward, both attacks) on the paper's network and a wide one, for every
// backend; results are verified first.
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../worker.hpp"
#include "checks.hpp"
#include "subjects.hpp"

using namespace skewgrad;
using worker::Request;
using worker::Unit;

namespace {

using training::for_each_backend;
using training::for_each_network;

constexpr std::size_t attacked = 1000;  // images of one forward pass or attack

/// One update, or one pass or attack over the first test images, bytes to result. Throws Error where the backend's
/// numbers are wrong, ValueError for an unknown work.
template <class N, class B>
Unit make_unit(const std::string& work, int batch, const Splits& data, typename B::Context on) {
    if (work == "training") {
        verify::loss_falls<N, B>(data.train, on);
        const auto course = std::make_shared<training::Course<N, B>>(data.train, batch, on);
        return [course, batch] { return course->session.advance(), batch * course->updates; };
    }
    verify::against_reference<N, B>(data.test, on);
    std::vector<std::uint32_t> first(attacked);
    std::iota(first.begin(), first.end(), 0u);
    const TestData some = data.test.of_items(first);
    const auto model = std::make_shared<Model<N, B>>(Seed{7}, on);
    const auto attack = [model, some](auto method) -> Unit {
        return [=] { return static_cast<int>(method(*model, some.images(), some.labels()).shape()[0]); };
    };
    if (work == "forward") return [=] { return static_cast<int>(model->logits(some).shape()[0]); };
    if (work == "fgsm") return attack(Attack<FGSM>{.epsilon = 0.01f});
    if (work == "iterative") return attack(Attack<Iterative>{.epsilon = 0.01f});
    throw ValueError("there is no work '" + work + "' (training, forward, fgsm, iterative)");
}

Unit find_unit(const Request& request, const Splits& data, int threads) {
    Unit unit;
    for_each_backend([&]<class B>(std::type_identity<B>) {
        for_each_network([&]<class N>(std::type_identity<N>) {
            if (request.backend == B::name() && request.network == N::name)
                unit = make_unit<N, B>(request.work, request.batch, data, typename B::Context(threads));
        });
    });
    if (!unit)
        throw ValueError("there is no backend '" + request.backend + "' with a network '" + request.network + "'");
    return unit;
}

std::vector<Request> all_requests() {
    std::vector<Request> all;
    for_each_backend([&]<class B>(std::type_identity<B>) {
        for_each_network([&]<class N>(std::type_identity<N>) {
            for (const int batch : {128, 32}) all.push_back({B::name(), N::name, "training", batch});
            for (const char* work : {"forward", "fgsm", "iterative"}) all.push_back({B::name(), N::name, work});
        });
    });
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times training, forward passes and attacks of the paper's network and a wide one"};
    worker::Json about{{"program", "skewgrad"}};
#if defined(__CUDACC__)
    about["device"] = Cuda<f32>::Context().description();
#else
    about["instruction_set"] = Cpu<f32>::Context(1).description();
#endif
    for_each_backend([&]<class B>(std::type_identity<B>) { about["backends"].push_back(B::name()); });
    return worker::run(app, argc, argv, about, all_requests(),
                       [&](const worker::Settings& settings, worker::Json& said) -> worker::Answers::Make {
                           auto data = std::make_shared<const Splits>(worker::images(settings));
                           said["data"] = data->train.name();
                           return [data, threads = settings.threads](const Request& request) {
                               return find_unit(request, *data, threads);
                           };
                       });
}
