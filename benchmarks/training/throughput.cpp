// links: command_line reference
// cuda
// Images a second of whole works (training, forward, both attacks) on the paper's network and a wide one, for every
// backend; results are verified first.
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
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

/// Each check once in a process, however many sizes of a work are asked for.
template <class N, class B>
void verify_training(const Splits& data, typename B::Context on) {
    static const bool verified = (verify::loss_falls<N, B>(data.train, on), true);
    static_cast<void>(verified);
}
template <class N, class B>
void verify_passes(const Splits& data, typename B::Context on) {
    static const bool verified = (verify::against_reference<N, B>(data.test, on), true);
    static_cast<void>(verified);
}

/// Calls `visit` with a function that makes the result of a forward pass or an attack on the first test images, from
/// their bytes: logits or adversarial images. Throws ValueError for an unknown work or too many images.
template <class N, class B, class Visit>
auto with_result(const Request& request, const Splits& data, typename B::Context on, Visit visit) {
    const auto available = static_cast<int>(data.test.size());
    if (request.images < 1 || request.images > available)
        throw ValueError("there are 1 to " + std::to_string(available) + " images, not " +
                         std::to_string(request.images));
    std::vector<std::uint32_t> first(static_cast<std::size_t>(request.images));
    std::iota(first.begin(), first.end(), 0u);
    const TestData some = data.test.of_items(first);
    const auto model = std::make_shared<Model<N, B>>(Seed{7}, on);
    const auto attack = [&](auto method) {
        return visit([=] { return method(*model, some.images(), some.labels()); });
    };
    if (request.work == "forward") return visit([=] { return model->logits(some); });
    if (request.work == "fgsm") return attack(Attack<FGSM>{.epsilon = 0.01f});
    if (request.work == "iterative") return attack(Attack<Iterative>{.epsilon = 0.01f});
    throw ValueError("there is no work '" + request.work + "' (training, forward, fgsm, iterative)");
}

/// One update, or one pass or attack, bytes to result. Throws Error where the backend's numbers are wrong.
template <class N, class B>
Unit make_unit(const Request& request, const Splits& data, typename B::Context on) {
    if (request.trains()) {
        verify_training<N, B>(data, on);
        const int batch = request.batch;
        const auto course = std::make_shared<training::Course<N, B>>(data.train, batch, on);
        return [course, batch] { return course->session.advance(), batch * course->updates; };
    }
    verify_passes<N, B>(data, on);
    return with_result<N, B>(request, data, on, [](auto result) -> Unit {
        return [result] { return static_cast<int>(result().shape()[0]); };
    });
}

/// Digest of a work's result, a training's being its parameters after a few updates: equal bits have equal digests.
template <class N, class B>
std::string digest_of(const Request& request, const Splits& data, typename B::Context on) {
    const auto digest = [](const auto& values) {
        return Digest().bytes(std::as_bytes(std::span(values.data(), values.size()))).hex();
    };
    if (request.trains()) {
        training::Course<N, B> course(data.train, request.batch, on);
        for (int call = 0; call < 3; ++call) course.session.advance();
        return digest(course.model.parameters());
    }
    return with_result<N, B>(request, data, on, [&](auto result) { return digest(result()); });
}

/// Calls `visit.operator()<N, B>(context)` for the network and the backend that a request names.
template <class Visit>
void find(const Request& request, int threads, Visit visit) {
    bool found = false;
    for_each_backend([&]<class B>(std::type_identity<B>) {
        for_each_network([&]<class N>(std::type_identity<N>) {
            if (request.backend != B::name() || request.network != N::name) return;
            found = true;
            visit.template operator()<N, B>(typename B::Context(threads));
        });
    });
    if (!found)
        throw ValueError("there is no backend '" + request.backend + "' with a network '" + request.network + "'");
}

worker::Works works(std::shared_ptr<const Splits> data, int threads) {
    const auto unit = [data, threads](const Request& request) {
        Unit made;
        find(request, threads,
             [&]<class N, class B>(typename B::Context on) { made = make_unit<N, B>(request, *data, on); });
        return made;
    };
    const auto digest = [data, threads](const Request& request) {
        std::string made;
        find(request, threads,
             [&]<class N, class B>(typename B::Context on) { made = digest_of<N, B>(request, *data, on); });
        return made;
    };
    return {unit, digest};
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
    about["fields"] = {"images", "digest"};  // of requests, beside those that every such program knows
    return worker::run(app, argc, argv, about, all_requests(),
                       [&](const worker::Settings& settings, worker::Json& said) {
                           auto data = std::make_shared<const Splits>(worker::images(settings));
                           said["data"] = data->train.name();
                           return works(std::move(data), settings.threads);
                       });
}
