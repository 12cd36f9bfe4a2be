// Batch normalisation, one channel or one element at a time: what the stages of all backends compute.
#pragma once
#include <cstddef>

#include <skewgrad/core/config.hpp>
#include <skewgrad/nn/layers/batch_norm.hpp>

namespace SKEWGRAD_NAMESPACE::plan::batch_norm {

/// The record of a stage: for each image two sums a channel; for view v, in the record of image v, what is known of its
/// channels. S is the type of sums.
template <class S>
struct Record {
    std::byte* first = nullptr;
    int channels = 0;

    SKEWGRAD_FN static constexpr std::size_t bytes(int channels) {
        const std::size_t all = static_cast<std::size_t>(channels) * (2 * sizeof(double) + 5 * sizeof(S));
        return (all + sizeof(double) - 1) / sizeof(double) * sizeof(double);
    }
    /// Forward: mean and sum of squared deviations. On the way back: sums of d and of d x_hat, d being the gradient at
    /// y and x_hat the normalised x.
    SKEWGRAD_FN double* of_image(int n, int which) const {
        return reinterpret_cast<double*>(at(n)) + static_cast<std::size_t>(which) * count();
    }
    enum Known { mean, variance, inverse, d_mean, d_x_hat_mean };  ///< inverse: 1 / sqrt(variance + epsilon)
    SKEWGRAD_FN S* of_view(int v, Known which) const {
        return reinterpret_cast<S*>(at(v) + 2 * count() * sizeof(double)) + static_cast<std::size_t>(which) * count();
    }

private:
    SKEWGRAD_FN std::size_t count() const { return static_cast<std::size_t>(channels); }
    SKEWGRAD_FN std::byte* at(int n) const { return first + static_cast<std::size_t>(n) * bytes(channels); }
};

/// A layer's parameters and statistics, C of each, as they stand among its masters and gradients.
template <class T>
struct Rows {
    T *gamma, *beta, *mean, *variance;
    SKEWGRAD_FN Rows(T* first, int channels)
        : gamma(first), beta(first + channels), mean(first + 2 * channels), variance(first + 3 * channels) {}
};

/// What a view's channels are normalised by. `d_mean` and `d_x_hat_mean` are null with running statistics.
template <class S>
struct Channels {
    const S *mean, *inverse, *gamma, *beta;
    const S *d_mean = nullptr, *d_x_hat_mean = nullptr;
};

SKEWGRAD_EXACT_BEGIN
template <class S>
SKEWGRAD_FN inline S inverse_deviation(S variance) {
    SKEWGRAD_EXACT_BODY
    const S sum = variance + S(BatchNorm::epsilon);
    if constexpr (sizeof(S) == sizeof(double))
        return 1 / __builtin_sqrt(sum);
    else
        return 1 / __builtin_sqrtf(sum);
}

/// x_hat, y and dx of one element of channel c.
template <class S>
SKEWGRAD_FN inline S normalised(const Channels<S>& by, int c, S x) {
    SKEWGRAD_EXACT_BODY
    return (x - by.mean[c]) * by.inverse[c];
}
template <class S>
SKEWGRAD_FN inline S value(const Channels<S>& by, int c, S x) {
    SKEWGRAD_EXACT_BODY
    return (x - by.mean[c]) * (by.inverse[c] * by.gamma[c]) + by.beta[c];
}
template <class S>
SKEWGRAD_FN inline S input_gradient_with_batch(const Channels<S>& by, int c, S x, S d) {
    SKEWGRAD_EXACT_BODY
    return by.inverse[c] * by.gamma[c] * (d - (by.d_mean[c] + normalised(by, c, x) * by.d_x_hat_mean[c]));
}
template <class S>
SKEWGRAD_FN inline S input_gradient_with_running(const Channels<S>& by, int c, S d) {
    SKEWGRAD_EXACT_BODY
    return by.inverse[c] * by.gamma[c] * d;
}

/// Channel c of a view whose images' moments are known: joins them in the images' order (Chan, Golub and LeVeque
/// 1983).
template <class S>
struct JoinMoments {
    Record<S> record;
    int images;     ///< of a view
    double pixels;  ///< of an image
    SKEWGRAD_FN void operator()(int view, int c) const {
        SKEWGRAD_EXACT_BODY
        double mean = 0, deviations = 0;
        for (int n = 0; n < images; ++n) {
            const int image = view * images + n;
            const double apart = record.of_image(image, 0)[c] - mean, share = 1.0 / (n + 1);
            mean += apart * share;
            deviations += record.of_image(image, 1)[c] + apart * apart * (pixels * n * share);
        }
        const double variance = deviations / (pixels * images);
        record.of_view(view, Record<S>::mean)[c] = static_cast<S>(mean);
        record.of_view(view, Record<S>::variance)[c] = static_cast<S>(variance);
        record.of_view(view, Record<S>::inverse)[c] = inverse_deviation(static_cast<S>(variance));
    }
};

/// Channel c of all views whose images' sums are known: what the gradient at x needs of each view and, where gradients
/// of the parameters are wanted, those, and b - s at the statistics.
template <class S>
struct JoinSums {
    Record<S> record;
    int images, views;
    double pixels;
    bool batch;        ///< with the batch's statistics
    const S* masters;  ///< of the layer
    S* gradients;      ///< null: not wanted
    SKEWGRAD_FN void operator()(int c) const {
        SKEWGRAD_EXACT_BODY
        const double count = pixels * images;
        double d_all = 0, d_x_hat_all = 0, mean = 0, variance = 0;
        for (int v = 0; v < views; ++v) {
            double d = 0, d_x_hat = 0;
            for (int n = 0; n < images; ++n) {
                d += record.of_image(v * images + n, 0)[c];
                d_x_hat += record.of_image(v * images + n, 1)[c];
            }
            d_all += d;
            d_x_hat_all += d_x_hat;
            if (!batch) continue;
            record.of_view(v, Record<S>::d_mean)[c] = static_cast<S>(d / count);
            record.of_view(v, Record<S>::d_x_hat_mean)[c] = static_cast<S>(d_x_hat / count);
            mean += record.of_view(v, Record<S>::mean)[c];
            variance += record.of_view(v, Record<S>::variance)[c];
        }
        if (!gradients) return;
        const Rows<S> to(gradients, record.channels);
        to.gamma[c] += static_cast<S>(d_x_hat_all);
        to.beta[c] += static_cast<S>(d_all);
        if (!batch) return;
        const Rows<const S> now(masters, record.channels);
        const double unbiased = count > 1 ? count / (count - 1) : 1;
        to.mean[c] += static_cast<S>(mean / views) - now.mean[c];
        to.variance[c] += static_cast<S>(unbiased * variance / views) - now.variance[c];
    }
};
SKEWGRAD_EXACT_END

}  // namespace SKEWGRAD_NAMESPACE::plan::batch_norm
