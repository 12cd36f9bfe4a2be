// A GPU's place taken by the CPU: the same kernels, block after block. For tests on machines without one.
#pragma once
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>

#include <skewgrad/backend/cuda/block.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// What a device does for the backend; this one does it at once. Nothing here is fast.
class Emulated {
public:
    static std::string name() { return "emulated-cuda"; }
    std::string description() const { return "CUDA kernels run block after block on the CPU"; }

    void* allocate(std::size_t bytes) {
        void* at = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
        if (!at) throw std::bad_alloc();
        std::memset(at, 0xff, bytes);  // not a number: nothing may count on what was there
        return at;
    }
    void release(void* at) noexcept { std::free(at); }
    void to_device(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
    void send(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
    void to_host(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
    void within(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
    void clear(void* at, std::size_t bytes) { std::memset(at, 0, bytes); }
    void wait() {}

    template <class Kernel>
    void launch(Grid grid, const Kernel& kernel) {
        const std::unique_ptr<std::byte, decltype(&std::free)> shared(
            static_cast<std::byte*>(std::aligned_alloc(alignment, Kernel::shared_bytes / alignment * alignment + alignment)),
            &std::free);
        for (int z = 0; z < grid.z; ++z)
            for (int y = 0; y < grid.y; ++y)
                for (int x = 0; x < grid.x; ++x) {
                    const auto run = [&](int thread) { kernel(Block{x, y, z, thread, shared.get()}); };
                    if constexpr (Kernel::waits)
                        Fibers::run(Kernel::threads, run);
                    else
                        for (int thread = 0; thread < Kernel::threads; ++thread) run(thread);
                }
    }

    /// Work that may run beside what follows, until `meet`.
    template <class Work>
    void beside(const Work& work) {
        work();
    }
    void meet() {}

    /// Work that can be given again as a whole: here it is just called again.
    struct Graph {};
    template <class Work>
    void capture(Graph&, const Work& work) {
        work();
    }
    template <class Work>
    void replay(Graph&, const Work& work) {
        work();
    }

private:
    static constexpr std::size_t alignment = 128;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
