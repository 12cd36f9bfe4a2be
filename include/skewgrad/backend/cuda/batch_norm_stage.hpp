// Batch normalisation on a device: the host's sums in the host's order of images, by kernels.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cuda/kernels/batch_norm.hpp>
#include <skewgrad/backend/cuda/kernels/each.hpp>
#include <skewgrad/backend/plan/canonical_parameters.hpp>
#include <skewgrad/backend/plan/stage.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

template <class B>
struct BatchNormStage : plan::CanonicalParameters<B> {
    using Activation = typename B::Activation;
    using Record = plan::batch_norm::Record<float>;
    static constexpr plan::Traits traits{.can_finish = true, .repacks = true};

    static constexpr plan::Needs needs(const plan::Site<B>& site) {
        const auto channels = static_cast<std::size_t>(site.in.shape.c);
        return {.masters = 4 * channels,
                .canonical = true,
                .packs = channels * sizeof(float) / sizeof(Activation),
                .memory = {.values = site.masks_in, .record = Record::bytes(site.in.shape.c)},
                .masks_input = true,
                .whole_batch = true};
    }
    static void repack(typename B::Context& on, const plan::Site<B>& site, const float* masters, Activation* packs) {
        const plan::batch_norm::Rows<const float> of(masters, site.in.shape.c);
        each(on.device(), static_cast<std::size_t>(site.in.shape.c),
             InverseDeviations{of.variance, reinterpret_cast<float*>(packs)});
    }

    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        if (of_batch(call)) {
            const int images = call.images / call.pass.views;
            call.on.device().launch(image_blocks(call), FindMoments<In>(record(call), in, call.in));
            each(call.on.device(), static_cast<std::size_t>(in.shape.c * call.pass.views),
                 JoinMoments{{record(call), images, static_cast<double>(in.shape.h * in.shape.w)}});
        }
        each(call.on.device(), out.size * static_cast<std::size_t>(call.images),
             Normalised<In, Out>{CoordinatesOf(out), in, by(call), call.site.rectifies, call.in, call.out});
    }
    template <class In, class Out>
    static void backward_weights(const plan::Call<B, In, In, Out>& call) {
        find_sums(call);
    }
    /// With the batch's statistics the sums are there already where backward_weights has made them.
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        const plan::Layout &in = call.site.in, &out = call.site.out;
        if (of_batch(call) && !call.gradients) find_sums(call);
        each(call.on.device(), in.size * static_cast<std::size_t>(call.images),
             NormalisedBackward<In, Out>{CoordinatesOf(in), out, by(call), call.site.masks_in, call.in, call.d_out,
                                         call.d_in});
    }

private:
    template <class C>
    static bool of_batch(const C& call) {
        return call.pass.statistics == BatchStatistics::batch;
    }
    template <class C>
    static Record record(const C& call) {
        return {call.record, call.site.in.shape.c};
    }
    template <class C>
    static NormaliseBy by(const C& call) {
        return {record(call),
                {call.masters, call.site.in.shape.c},
                reinterpret_cast<const float*>(call.packs),
                of_batch(call),
                call.images / call.pass.views};
    }
    template <class C>
    static Grid image_blocks(const C& call) {
        return {call.images, (call.site.in.shape.c + SumsOfChannels::channels - 1) / SumsOfChannels::channels};
    }
    template <class C>
    static void find_sums(const C& call) {
        const Shape s = call.site.in.shape;
        call.on.device().launch(image_blocks(call), FindSums<typename C::InElement, typename C::OutElement>(
                                                        by(call), call.site.in, call.site.out, call.in, call.d_out));
        each(call.on.device(), static_cast<std::size_t>(s.c),
             plan::batch_norm::JoinSums<float>{record(call), call.images / call.pass.views, call.pass.views,
                                               static_cast<double>(s.h * s.w), of_batch(call), call.masters,
                                               call.gradients});
    }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
