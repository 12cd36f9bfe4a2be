// Batch normalisation's kernels: sums of each image's channels by a block of threads, then one thread an element.
#pragma once
#include <cstddef>

#include <skewgrad/backend/cuda/block.hpp>
#include <skewgrad/backend/cuda/kernels/coordinates.hpp>
#include <skewgrad/backend/cuda/kernels/layers.hpp>
#include <skewgrad/backend/plan/batch_norm.hpp>

namespace SKEWGRAD_NAMESPACE::cuda {

/// What a block of threads sums: 32 channels of an image, each by 8 threads that take every eighth pixel. The eight
/// sums of a channel are added in their order, so that the order of all sums depends on the shape alone.
struct SumsOfChannels {
    static constexpr int threads = 256, channels = 32, parts = threads / channels;
    static constexpr bool waits = true;
    static constexpr std::size_t shared_bytes = 2 * threads * sizeof(double);

    SKEWGRAD_FN static int channel(const Block& block) { return block.y * channels + block.thread % channels; }
    SKEWGRAD_FN static int part(const Block& block) { return block.thread / channels; }
    /// The channel's sum, for all its threads; `which` of two arrays in shared memory.
    SKEWGRAD_FN static double joined(const Block& block, double mine, int which) {
        double* sums = reinterpret_cast<double*>(block.shared) + which * threads;
        sums[block.thread] = mine;
        block.wait();
        double sum = 0;
        for (int p = 0; p < parts; ++p) sum += sums[p * channels + block.thread % channels];
        return sum;
    }
};

/// Mean and sum of squared deviations of each image's channels.
template <class In>
struct FindMoments : SumsOfChannels {
    plan::batch_norm::Record<float> record;
    plan::Layout in;
    const In* x;
    FindMoments(plan::batch_norm::Record<float> of, const plan::Layout& layout, const In* from)
        : record(of), in(layout), x(from) {}
    SKEWGRAD_FN void operator()(const Block& block) const {
        const int c = channel(block), pixels = in.shape.h * in.shape.w;
        const bool there = c < in.shape.c;
        const In* at = image_of(x, in, block.x) + c;
        double sum = 0, squares = 0;
        if (there)
            for (int p = part(block); p < pixels; p += parts)
                sum += static_cast<double>(static_cast<float>(at[p * in.stride_w]));
        const double mean = joined(block, sum, 0) / pixels;
        if (there)
            for (int p = part(block); p < pixels; p += parts) {
                const double apart = static_cast<double>(static_cast<float>(at[p * in.stride_w])) - mean;
                squares += apart * apart;
            }
        const double deviations = joined(block, squares, 1);
        if (!there || part(block) != 0) return;
        record.of_image(block.x, 0)[c] = mean;
        record.of_image(block.x, 1)[c] = deviations;
    }
};

/// What the channels of an image are normalised by: the running statistics, or those of its view.
struct NormaliseBy {
    plan::batch_norm::Record<float> record;
    plan::batch_norm::Rows<const float> of;
    const float* inverse;
    bool batch;
    int images;  ///< of a view
    SKEWGRAD_FN plan::batch_norm::Channels<float> operator()(int n) const {
        using Record = plan::batch_norm::Record<float>;
        if (!batch) return {of.mean, inverse, of.gamma, of.beta};
        const int view = n / images;
        return {record.of_view(view, Record::mean),   record.of_view(view, Record::inverse),     of.gamma, of.beta,
                record.of_view(view, Record::d_mean), record.of_view(view, Record::d_x_hat_mean)};
    }
};

/// Sums of d and of d x_hat of each image's channels.
template <class In, class Out>
struct FindSums : SumsOfChannels {
    NormaliseBy by;
    plan::Layout in, out;
    const In* x;
    const Out* d_out;
    FindSums(const NormaliseBy& how, const plan::Layout& of_in, const plan::Layout& of_out, const In* from,
             const Out* d)
        : by(how), in(of_in), out(of_out), x(from), d_out(d) {}
    SKEWGRAD_FN void operator()(const Block& block) const {
        const int c = channel(block), pixels = in.shape.h * in.shape.w;
        const bool there = c < in.shape.c;
        const In* at = image_of(x, in, block.x) + c;
        const Out* gradient = image_of(d_out, out, block.x) + c;
        const plan::batch_norm::Channels<float> of = by(block.x);
        double d = 0, d_x_hat = 0;
        if (there)
            for (int p = part(block); p < pixels; p += parts) {
                const double slope = static_cast<double>(static_cast<float>(gradient[p * out.stride_w]));
                d += slope;
                d_x_hat += slope * static_cast<double>(
                                       plan::batch_norm::normalised(of, c, static_cast<float>(at[p * in.stride_w])));
            }
        d = joined(block, d, 0);
        d_x_hat = joined(block, d_x_hat, 1);
        if (!there || part(block) != 0) return;
        by.record.of_image(block.x, 0)[c] = d;
        by.record.of_image(block.x, 1)[c] = d_x_hat;
    }
};

/// Channel i % C of view i / C.
struct JoinMoments {
    plan::batch_norm::JoinMoments<float> join;
    SKEWGRAD_FN void operator()(int i) const { join(i / join.record.channels, i % join.record.channels); }
};

template <class In, class Out>
struct Normalised {
    CoordinatesOf coordinates;  // of the output
    plan::Layout in;
    NormaliseBy by;
    bool rectifies;
    const In* x;
    Out* y;
    SKEWGRAD_FN void operator()(int i) const {
        const Coordinates p = coordinates(i);
        float v = p.padding ? 0.0f : plan::batch_norm::value(by(p.n), p.c, element_of(x, in, p));
        if (rectifies) v = v > 0 ? v : 0.0f;
        y[i] = static_cast<Out>(v);
    }
};

template <class In, class Out>
struct NormalisedBackward {
    CoordinatesOf coordinates;  // of the input
    plan::Layout out;
    NormaliseBy by;
    bool masks;
    const In* x;
    const Out* d_out;
    In* d_in;
    SKEWGRAD_FN void operator()(int i) const {
        const Coordinates p = coordinates(i);
        if (p.padding || !passes(masks, x[i])) {
            d_in[i] = static_cast<In>(0.0f);
            return;
        }
        const float d = element_of(d_out, out, p);
        const plan::batch_norm::Channels<float> of = by(p.n);
        d_in[i] =
            static_cast<In>(by.batch ? plan::batch_norm::input_gradient_with_batch(of, p.c, static_cast<float>(x[i]), d)
                                     : plan::batch_norm::input_gradient_with_running(of, p.c, d));
    }
};

/// The packed copy: 1 / sqrt(running variance + epsilon).
struct InverseDeviations {
    const float* variance;
    float* inverse;
    SKEWGRAD_FN void operator()(int c) const { inverse[c] = plan::batch_norm::inverse_deviation(variance[c]); }
};

}  // namespace SKEWGRAD_NAMESPACE::cuda
