// Dropout on the CPU where values stand without gaps: masks drawn by the vector.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cpu/packing.hpp>

namespace SKEWGRAD_NAMESPACE {

template <int Percent>
struct host::Stage<Cpu<f32>, Dropout<Percent>> {
    static void forward(const cpu::Call& call) {
        if (by_kernel(call))
            run(call, call.in, call.out);
        else
            Plain::forward(call);
    }
    static void backward_data(const cpu::Call& call) {
        if (by_kernel(call))
            run(call, call.d_out, call.d_in);
        else
            Plain::backward_data(call);
    }

private:
    using Plain = host::DropoutStage<Cpu<f32>, Percent>;

    static bool by_kernel(const cpu::Call& call) {
        const host::Layout &in = call.site.in, &out = call.site.out;
        return call.mode == Mode::train && Percent > 0 && in.w == in.shape.c && out.w == out.shape.c;
    }
    static void run(const cpu::Call& call, const float* from, float* to) {
        parallel_for(call.on.threads(), call.images, [&](int n) {
            const Stream s = host::dropout_stream(call, n);
            const std::size_t size = call.site.in.size, at = static_cast<std::size_t>(n) * size;
            call.on.kernels().drop(
                {from + at,
                 to + at,
                 static_cast<std::ptrdiff_t>(size),
                 {static_cast<std::uint32_t>(s.seed.value), static_cast<std::uint32_t>(s.seed.value >> 32)},
                 {s.item, s.epoch << 8 | s.copy, static_cast<std::uint32_t>(s.purpose) << 16 | s.node},
                 Dropout<Percent>::threshold,
                 static_cast<float>(Dropout<Percent>::scale)});
        });
    }
};

}  // namespace SKEWGRAD_NAMESPACE
