// Max pooling on the CPU, vectorised over channels; the same for floats and for bf16.
#pragma once
#include <skewgrad/backend/cpu/packing.hpp>

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

template <class C>
void max_pool_forward(const C& call, int window) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    parallel_for(call.on.threads(), call.images, [&](int n) {
        cpu::MaxPool<typename C::OutElement> job{};
        job.in = call.in_image(n);
        job.in_row = in.h;
        job.in_pixel = in.w;
        job.out = call.out_image(n);
        job.out_row = out.h;
        job.out_pixel = out.w;
        job.channels = in.w == out.w ? static_cast<int>(in.w) : in.shape.c;
        job.window = window;
        job.out_h = out.shape.h;
        job.out_w = out.shape.w;
        call.on.kernels().max_pool(job);
        if (in.w != out.w) host::clear_padding(out, call.out_image(n), 1);
        call.finish(n);
    });
}

template <class C>
void max_pool_backward(const C& call, int window) {
    const host::Layout &in = call.site.in, &out = call.site.out;
    parallel_for(call.on.threads(), call.images, [&](int n) {
        cpu::MaxPoolGradient<typename C::OutElement> job{};
        job.in = call.in_image(n);
        job.in_row = in.h;
        job.in_pixel = in.w;
        job.out_gradient = call.d_out_image(n);
        job.out_row = out.h;
        job.out_pixel = out.w;
        job.in_gradient = call.d_in_image(n);
        job.in_gradient_row = in.h;
        job.in_gradient_pixel = in.w;
        job.channels = in.w == out.w ? static_cast<int>(in.w) : in.shape.c;
        job.window = window;
        job.out_h = out.shape.h;
        job.out_w = out.shape.w;
        job.positive = call.site.masks_in;
        call.on.kernels().max_pool_gradient(job);
    });
}

}  // namespace cpu

template <int Side>
struct host::Stage<Cpu<f32>, MaxPool<Side>> {
    static constexpr bool can_finish = true;
    static constexpr bool masks_input(const cpu::Site&) { return true; }
    static void forward(const cpu::Call& call) { cpu::max_pool_forward(call, Side); }
    static void backward_data(const cpu::Call& call) { cpu::max_pool_backward(call, Side); }
};

}  // namespace SKEWGRAD_NAMESPACE
