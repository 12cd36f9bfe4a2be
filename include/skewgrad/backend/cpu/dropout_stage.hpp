// Dropout on the CPU where values stand without gaps: masks drawn by the vector.
#pragma once
#include <cstddef>
#include <cstdint>

#include <skewgrad/backend/cpu/packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// What the kernels are told of image n of a call: all but where it lies.
template <int Percent, class C>
Drop drop_of(const C& call, int n) {
    const Stream s = call.pass.masks.stream(n, call.site.node);
    Drop job{};
    job.size = static_cast<std::ptrdiff_t>(call.site.in.size);
    job.key[0] = static_cast<std::uint32_t>(s.seed.value);
    job.key[1] = static_cast<std::uint32_t>(s.seed.value >> 32);
    job.counter[0] = s.item;
    job.counter[1] = s.epoch << 8 | s.copy;
    job.counter[2] = static_cast<std::uint32_t>(s.purpose) << 16 | s.node;
    job.threshold = Dropout<Percent>::threshold;
    job.scale = static_cast<float>(Dropout<Percent>::scale);
    return job;
}
/// Whether there is something to draw, for values without gaps between pixels.
template <int Percent, class C>
bool drops_by_kernel(const C& call) {
    const plan::Layout &in = call.site.in, &out = call.site.out;
    return call.pass.masks && Percent > 0 && in.stride_w == in.shape.c && out.stride_w == out.shape.c;
}

}  // namespace cpu

template <int Percent>
struct plan::Stage<Cpu<f32>, Dropout<Percent>> : host::DropoutStage<Cpu<f32>, Percent> {
    using Plain = host::DropoutStage<Cpu<f32>, Percent>;
    static void forward(const cpu::Call& call) {
        if (cpu::drops_by_kernel<Percent>(call))
            run(call, call.in, call.out);
        else
            Plain::forward(call);
    }
    static void backward_data(const cpu::Call& call) {
        if (cpu::drops_by_kernel<Percent>(call))
            run(call, call.d_out, call.d_in);
        else
            Plain::backward_data(call);
    }

private:
    static void run(const cpu::Call& call, const float* from, float* to) {
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const std::size_t at = static_cast<std::size_t>(n) * call.site.in.size;
            cpu::Drop job = cpu::drop_of<Percent>(call, n);
            job.in = from + at;
            job.out = to + at;
            call.on.kernels().drop(job);
        });
    }
};

}  // namespace SKEWGRAD_NAMESPACE
