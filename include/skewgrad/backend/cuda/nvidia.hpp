// An NVIDIA GPU through the CUDA runtime: memory, copies, launches and captured graphs on one stream. For nvcc.
#pragma once
#if !defined(__CUDACC__)
#error "skewgrad: <skewgrad/cuda.hpp> is compiled by nvcc (-std=c++20, sources as CUDA)"
#endif
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/core/error.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// A device that cannot do what is asked: none is there, its memory is full, a kernel failed.
class DeviceError : public Error {
public:
    using Error::Error;
};

inline void check(cudaError_t status, const char* what) {
    if (status != cudaSuccess) throw DeviceError(std::string("CUDA: ") + what + ": " + cudaGetErrorString(status));
}

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads) run_kernel(const __grid_constant__ Kernel kernel) {
    extern __shared__ __align__(128) std::byte shared[];
    kernel(Block{static_cast<int>(blockIdx.x), static_cast<int>(blockIdx.y), static_cast<int>(blockIdx.z),
                 static_cast<int>(threadIdx.x), shared});
}

/// The first GPU that the process sees (CUDA_VISIBLE_DEVICES chooses), and one stream of work on it; a second stream
/// for what may run beside it.
class Nvidia {
public:
    static std::string name() { return "cuda"; }

    /// Throws DeviceError where there is no GPU, or no driver for it.
    Nvidia() {
        int devices = 0;
        check(cudaGetDeviceCount(&devices), "looking for a GPU");
        if (devices == 0) throw DeviceError("CUDA: this machine has no GPU");
        for (cudaStream_t* stream : {&stream_, &side_})
            check(cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking), "making a stream");
        for (cudaEvent_t* event : {&parted_, &met_})
            check(cudaEventCreateWithFlags(event, cudaEventDisableTiming), "making an event");
        // Memory that was freed stays with the process, so that what comes next is had at once.
        cudaMemPool_t pool{};
        check(cudaDeviceGetDefaultMemPool(&pool, 0), "looking for the memory pool");
        std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
        check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all), "keeping freed memory");
    }
    Nvidia(const Nvidia&) = delete;
    Nvidia& operator=(const Nvidia&) = delete;
    ~Nvidia() {
        if (mailbox_) cudaFreeHost(mailbox_);
        for (cudaEvent_t event : {parted_, met_}) cudaEventDestroy(event);
        for (cudaStream_t stream : {stream_, side_}) cudaStreamDestroy(stream);
    }

    /// The GPU's name, what it computes with, the versions of driver and runtime: for run records.
    std::string description() const {
        cudaDeviceProp device{};
        check(cudaGetDeviceProperties(&device, 0), "reading the GPU's properties");
        int driver = 0, runtime = 0;
        check(cudaDriverGetVersion(&driver), "reading the driver's version");
        check(cudaRuntimeGetVersion(&runtime), "reading the runtime's version");
        const auto version = [](int v) { return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10); };
        return std::string(device.name) + ", compute capability " + std::to_string(device.major) + "." +
               std::to_string(device.minor) + ", CUDA runtime " + version(runtime) + ", driver " + version(driver);
    }

    void* allocate(std::size_t bytes) {
        void* at = nullptr;
        const cudaError_t status = cudaMallocAsync(&at, bytes, stream_);
        if (status != cudaSuccess)
            throw DeviceError("CUDA: no " + std::to_string(bytes) +
                              " bytes of GPU memory: " + cudaGetErrorString(status));
        return at;
    }
    void release(void* at) noexcept { cudaFreeAsync(at, stream_); }
    void to_device(void* to, const void* from, std::size_t bytes) {
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "copying to the GPU");
    }
    /// The same for a few bytes, up to `small`, which the caller may change at once: they go by way of memory that the
    /// GPU reads by itself.
    void send(void* to, const void* from, std::size_t bytes) {
        const std::size_t room = (bytes + 63) / 64 * 64;
        if (bytes > small) return to_device(to, from, bytes);
        if (!mailbox_) check(cudaMallocHost(&mailbox_, mailbox_bytes), "allocating host memory");
        if (posted_ + room > mailbox_bytes) {
            wait();  // all that was posted has been read
            posted_ = 0;
        }
        void* letter = static_cast<std::byte*>(mailbox_) + posted_;
        std::memcpy(letter, from, bytes);
        posted_ += room;
        to_device(to, letter, bytes);
    }
    /// Returns when the bytes are there.
    void to_host(void* to, const void* from, std::size_t bytes) {
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "copying from the GPU");
        wait();
    }
    void within(void* to, const void* from, std::size_t bytes) {
        check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "copying on the GPU");
    }
    void clear(void* at, std::size_t bytes) { check(cudaMemsetAsync(at, 0, bytes, stream_), "clearing GPU memory"); }
    void wait() { check(cudaStreamSynchronize(stream_), "running what was given to the GPU"); }

    template <class Kernel>
    void launch(Grid grid, const Kernel& kernel) {
        if (grid.blocks() == 0) return;
        const dim3 blocks(static_cast<unsigned>(grid.x), static_cast<unsigned>(grid.y), static_cast<unsigned>(grid.z));
        if constexpr (Kernel::shared_bytes > default_shared_bytes) {
            static const cudaError_t raised =
                cudaFuncSetAttribute(run_kernel<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(Kernel::shared_bytes));
            check(raised, "asking for shared memory");
        }
        run_kernel<Kernel><<<blocks, Kernel::threads, Kernel::shared_bytes, stream_>>>(kernel);
        check(cudaGetLastError(), "launching a kernel");
    }

    /// Gives what `work` gives to run beside all that follows, until `meet`; it waits for what was given before, and
    /// for other such work.
    template <class Work>
    void beside(const Work& work) {
        check(cudaEventRecord(parted_, stream_), "parting streams");
        check(cudaStreamWaitEvent(side_, parted_, 0), "parting streams");
        std::swap(stream_, side_);
        work();
        std::swap(stream_, side_);
    }
    /// What follows waits for all that was given to run beside.
    void meet() {
        check(cudaEventRecord(met_, side_), "joining streams");
        check(cudaStreamWaitEvent(stream_, met_, 0), "joining streams");
    }

    /// Work that was given once and is given again as a whole, at the price of one launch.
    class Graph {
    public:
        Graph() = default;
        Graph(Graph&& other) noexcept : made_(std::exchange(other.made_, nullptr)) {}
        Graph& operator=(Graph&& other) noexcept {
            std::swap(made_, other.made_);
            return *this;
        }
        ~Graph() {
            if (made_) cudaGraphExecDestroy(made_);
        }

    private:
        friend class Nvidia;
        cudaGraphExec_t made_ = nullptr;
    };
    /// Records what `work` gives to the stream, and runs it. Every address that it names must stay what it is.
    template <class Work>
    void capture(Graph& graph, const Work& work) {
        graph = Graph();
        cudaGraph_t recorded = nullptr;
        check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "recording a step");
        work();
        check(cudaStreamEndCapture(stream_, &recorded), "recording a step");
        const cudaError_t status = cudaGraphInstantiate(&graph.made_, recorded, 0);
        cudaGraphDestroy(recorded);
        check(status, "making a graph of a step");
        replay(graph, work);
    }
    template <class Work>
    void replay(Graph& graph, const Work&) {
        check(cudaGraphLaunch(graph.made_, stream_), "running a recorded step");
    }

private:
    static constexpr std::size_t small = std::size_t{64} << 10, mailbox_bytes = std::size_t{1} << 20;
    static constexpr std::size_t default_shared_bytes = std::size_t{48} << 10;
    cudaStream_t stream_ = nullptr, side_ = nullptr;
    cudaEvent_t parted_ = nullptr, met_ = nullptr;
    void* mailbox_ = nullptr;
    std::size_t posted_ = 0;
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
