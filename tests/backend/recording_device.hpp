// A device that records as a GPU does: a captured step is kept as kernels, and replayed without calling host code
// again.
#pragma once
#include <cstddef>
#include <functional>
#include <skewgrad/backend/cuda/emulated.hpp>
#include <skewgrad/backend/cuda/operations.hpp>
#include <skewgrad/core/error.hpp>
#include <string>
#include <vector>

namespace skewgrad_tests {

/// What a graph cannot hold is an error within a capture: allocations, copies to and from the device, waiting.
class RecordingDevice : public skewgrad::cuda::Emulated {
    using Inner = skewgrad::cuda::Emulated;

public:
    using Inner::Inner;
    static std::string name() { return "recording-cuda"; }
    struct Graph {
        std::vector<std::function<void()>> works;
    };
    void* allocate(std::size_t bytes) {
        refuse("allocating");
        return Inner::allocate(bytes);
    }
    void to_device(void* to, const void* from, std::size_t bytes) {
        refuse("copying to the device");
        Inner::to_device(to, from, bytes);
    }
    void upload_async(void* to, const void* from, std::size_t bytes) {
        refuse("sending to the device");
        Inner::upload_async(to, from, bytes);
    }
    void to_host(void* to, const void* from, std::size_t bytes) {
        refuse("copying from the device");
        Inner::to_host(to, from, bytes);
    }
    void wait() { refuse("waiting"); }
    void within(void* to, const void* from, std::size_t bytes) {
        give([=, this] { Inner::within(to, from, bytes); });
    }
    void clear(void* at, std::size_t bytes) {
        give([=, this] { Inner::clear(at, bytes); });
    }
    template <class Kernel>
    void launch(skewgrad::cuda::Grid grid, const Kernel& kernel) {
        give([=, this] { Inner::launch(grid, kernel); });
    }
    template <class Work>
    void capture(Graph& graph, const Work& work) {
        graph.works.clear();
        into_ = &graph.works;
        work();
        into_ = nullptr;
        replay(graph, work);
    }
    template <class Work>
    void replay(Graph& graph, const Work&) {
        ++replays;
        for (const auto& one : graph.works) one();
    }
    static inline int replays = 0;

private:
    void refuse(const char* what) const {
        if (into_) throw skewgrad::Error(std::string(what) + " within a capture");
    }
    template <class Work>
    void give(const Work& work) {
        into_ ? into_->push_back(work) : work();
    }
    std::vector<std::function<void()>>* into_ = nullptr;
};

template <class P>
using OnRecordingDevice = skewgrad::cuda::Policy<P, RecordingDevice>;

}  // namespace skewgrad_tests
