// Max pooling in bf16, vectorised over channels; where a value is f32, as at a network's ends, by the shared loop.
#pragma once
#include <skewgrad/backend/cpu/bf16_packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

inline void max_pool_forward(const Bf16Call& call, int window) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    parallel_for(call.on.threads(), call.images, [&](int n) {
        Bf16MaxPool job{};
        job.in = call.in_image(n);
        job.in_row = in.h;
        job.in_pixel = in.w;
        job.out = call.out_image(n);
        job.out_row = out.h;
        job.out_pixel = out.w;
        job.channels = static_cast<int>(in.w);
        job.window = window;
        job.out_h = out.shape.h;
        job.out_w = out.shape.w;
        call.on.kernels().max_pool(job);
        call.finish(n);
    });
}

inline void max_pool_backward(const Bf16Call& call, int window) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    parallel_for(call.on.threads(), call.images, [&](int n) {
        Bf16MaxPoolGradient job{};
        job.in = call.in_image(n);
        job.in_row = in.h;
        job.in_pixel = in.w;
        job.out_gradient = call.d_out_image(n);
        job.out_row = out.h;
        job.out_pixel = out.w;
        job.in_gradient = call.d_in_image(n);
        job.channels = static_cast<int>(in.w);
        job.window = window;
        job.out_h = out.shape.h;
        job.out_w = out.shape.w;
        job.positive = call.site.masks_in;
        call.on.kernels().max_pool_gradient(job);
    });
}

}  // namespace cpu

template <int Side>
struct host::Stage<Cpu<bf16>, MaxPool<Side>> : host::GatherStage<Cpu<bf16>, MaxPool<Side>> {
    using Shared = host::GatherStage<Cpu<bf16>, MaxPool<Side>>;
    using Shared::forward, Shared::backward_data;
    static constexpr bool masks_input(const cpu::PairSite& site) { return !site.in_edge && !site.out_edge; }
    static void forward(const cpu::Bf16Call& call) { cpu::max_pool_forward(call, Side); }
    static void backward_data(const cpu::Bf16Call& call) { cpu::max_pool_backward(call, Side); }
};

}  // namespace SKEWGRAD_NAMESPACE
