// Batch normalisation on host backends: sums of each image, joined in the images' order, then one pass over elements.
#pragma once
#include <algorithm>
#include <cstddef>
#include <type_traits>

#include <skewgrad/backend/bfloat16.hpp>
#include <skewgrad/backend/plan/batch_norm.hpp>
#include <skewgrad/backend/plan/canonical_parameters.hpp>
#include <skewgrad/backend/plan/stage.hpp>
#include <skewgrad/core/parallel.hpp>

namespace SKEWGRAD_NAMESPACE::host {
namespace batch_norm {

/// The pixels of one row of an image, `step` elements apart. The functions below take the first `channels` elements of
/// each.
template <class S>
struct Line {
    S* at;
    std::ptrdiff_t step;
};

// The loops that touch every element. Sums are double, one a channel.
SKEWGRAD_EXACT_BEGIN
template <class S>
[[gnu::noinline]] void add(Line<const S> x, int pixels, int channels, double* __restrict sums) {
    SKEWGRAD_EXACT_BODY
    for (int p = 0; p < pixels; ++p, x.at += x.step)
        for (int c = 0; c < channels; ++c) sums[c] += static_cast<double>(x.at[c]);
}
template <class S>
[[gnu::noinline]] void add_squares(Line<const S> x, int pixels, int channels, const double* __restrict mean,
                                   double* __restrict sums) {
    SKEWGRAD_EXACT_BODY
    for (int p = 0; p < pixels; ++p, x.at += x.step)
        for (int c = 0; c < channels; ++c) {
            const double apart = static_cast<double>(x.at[c]) - mean[c];
            sums[c] += apart * apart;
        }
}
template <bool rectifies, class S>
[[gnu::noinline]] void normalise(Line<const S> x, Line<S> y, int pixels, int channels,
                                 const plan::batch_norm::Channels<S>& of) {
    SKEWGRAD_EXACT_BODY
    const plan::batch_norm::Channels<S> by = of;
    for (int p = 0; p < pixels; ++p, x.at += x.step, y.at += y.step) {
        const S* __restrict from = x.at;
        S* __restrict to = y.at;
        for (int c = 0; c < channels; ++c) {
            const S v = value(by, c, from[c]);
            to[c] = rectifies ? (v > 0 ? v : S(0)) : v;
        }
    }
}
template <class S>
[[gnu::noinline]] void add_d_out(Line<const S> x, Line<const S> d, int pixels, int channels,
                                 const plan::batch_norm::Channels<S>& of, double* __restrict sums,
                                 double* __restrict x_hat_sums) {
    SKEWGRAD_EXACT_BODY
    const plan::batch_norm::Channels<S> by = of;
    for (int p = 0; p < pixels; ++p, x.at += x.step, d.at += d.step)
        for (int c = 0; c < channels; ++c) {
            const double slope = static_cast<double>(d.at[c]);
            sums[c] += slope;
            x_hat_sums[c] += slope * static_cast<double>(normalised(by, c, x.at[c]));
        }
}
template <class S>
[[gnu::noinline]] void pull_back(Line<const S> x, Line<const S> d, Line<S> dx, int pixels, int channels,
                                 const plan::batch_norm::Channels<S>& of) {
    SKEWGRAD_EXACT_BODY
    const plan::batch_norm::Channels<S> by = of;
    for (int p = 0; p < pixels; ++p, x.at += x.step, d.at += d.step, dx.at += dx.step) {
        const S* __restrict from = x.at, * __restrict slope = d.at;
        S* __restrict to = dx.at;
        if (by.d_mean)
            for (int c = 0; c < channels; ++c) to[c] = input_gradient_with_batch(by, c, from[c], slope[c]);
        else
            for (int c = 0; c < channels; ++c) to[c] = input_gradient_with_running(by, c, slope[c]);
    }
}
SKEWGRAD_EXACT_END

}  // namespace batch_norm

/// The stage of every host backend. Each image is one thread's; what images have in common is joined in their order, so
/// that bits depend on no thread. Elements that are not sums are converted a row at a time.
template <class B>
struct BatchNormStage : plan::CanonicalParameters<B> {
    using Sum = typename B::Sum;
    using Record = plan::batch_norm::Record<Sum>;
    using Channels = plan::batch_norm::Channels<Sum>;
    using Activation = typename B::Activation;
    static constexpr plan::Traits traits{.can_finish = true, .repacks = true};

    static constexpr plan::Needs needs(const plan::Site<B>& site) {
        const auto channels = static_cast<std::size_t>(site.in.shape.c);
        const std::size_t row = channels * static_cast<std::size_t>(site.in.shape.w) * sums;
        return {.masters = 4 * channels,
                .canonical = true,
                .packs = channels * sums,
                .lane_scratch = 3 * row,
                .memory = {.values = false, .record = Record::bytes(site.in.shape.c)},
                .whole_batch = true};
    }
    /// The packed copy: 1 / sqrt(running variance + epsilon).
    static void repack(typename B::Context&, const plan::Site<B>& site, const Sum* masters, Activation* packs) {
        const int channels = site.in.shape.c;
        const plan::batch_norm::Rows<const Sum> of(masters, channels);
        Sum* inverse = reinterpret_cast<Sum*>(packs);
        for (int c = 0; c < channels; ++c) inverse[c] = plan::batch_norm::inverse_deviation(of.variance[c]);
    }

    template <class In, class Out>
    static void forward(const plan::Call<B, In, In, Out>& call) {
        if (of_batch(call)) find_moments(call);
        each_image(call, [&](int n, Sum* scratch) {
            const Channels by = channels(call, n);
            each_line(call, scratch, [&](auto line) {
                const batch_norm::Line<const Sum> x = line.read(call.in_image(n), call.site.in, 0);
                const batch_norm::Line<Sum> y = line.to_write(call.out_image(n), call.site.out, 2);
                if (call.site.rectifies)
                    batch_norm::normalise<true>(x, y, line.pixels, line.channels, line.from_first(by));
                else
                    batch_norm::normalise<false>(x, y, line.pixels, line.channels, line.from_first(by));
                line.write(y, call.out_image(n), call.site.out);
            });
            if (call.site.out.stride_w != call.site.out.shape.c) clear_padding(call.site.out, call.out_image(n), 1);
            if (!call.site.rectifies) call.finish(n);
        });
    }
    template <class In, class Out>
    static void backward_weights(const plan::Call<B, In, In, Out>& call) {
        find_sums(call);
    }
    /// With the batch's statistics the sums are there already where backward_weights has made them.
    template <class In, class Out>
    static void backward_data(const plan::Call<B, In, In, Out>& call) {
        if (of_batch(call) && !call.gradients) find_sums(call);
        each_image(call, [&](int n, Sum* scratch) {
            const Channels by = channels(call, n);
            each_line(call, scratch, [&](auto line) {
                // With running statistics the input need not have been kept.
                const batch_norm::Line<const Sum> d = line.read(call.d_out_image(n), call.site.out, 1);
                const batch_norm::Line<const Sum> x = of_batch(call) ? line.read(call.in_image(n), call.site.in, 0) : d;
                const batch_norm::Line<Sum> dx = line.to_write(call.d_in_image(n), call.site.in, 2);
                batch_norm::pull_back(x, d, dx, line.pixels, line.channels, line.from_first(by));
                line.write(dx, call.d_in_image(n), call.site.in);
            });
            if (call.site.in.stride_w != call.site.in.shape.c) clear_padding(call.site.in, call.d_in_image(n), 1);
        });
    }

private:
    static constexpr std::size_t sums = sizeof(Sum) / sizeof(Activation);  // a Sum, in Activations

    template <class C>
    static bool of_batch(const C& call) {
        return call.pass.statistics == BatchStatistics::batch;
    }
    template <class C>
    static Record record(const C& call) {
        return {call.record, call.site.in.shape.c};
    }
    /// What image n is normalised by.
    template <class C>
    static Channels channels(const C& call, int n) {
        const plan::batch_norm::Rows<const Sum> of(call.masters, call.site.in.shape.c);
        if (!of_batch(call)) return {of.mean, reinterpret_cast<const Sum*>(call.packs), of.gamma, of.beta};
        const int view = n / (call.images / call.pass.views);
        const Record known = record(call);
        return {known.of_view(view, Record::mean),   known.of_view(view, Record::inverse),     of.gamma, of.beta,
                known.of_view(view, Record::d_mean), known.of_view(view, Record::d_x_hat_mean)};
    }

    /// One row of an image: with all its channels where channels are last, with one where the image is planar.
    struct LineOf {
        int row, first, pixels, channels;  // of channels
        Sum* scratch;                      // three lines of sums

        template <class T>
        static constexpr bool converts = !std::is_same_v<T, Sum>;
        std::ptrdiff_t step(const plan::Layout& l) const { return l.stride_w; }
        std::size_t offset(const plan::Layout& l) const { return l(first, row, 0); }
        Sum* part(int which) const { return scratch + std::ptrdiff_t{which} * pixels * channels; }

        template <class T>
        batch_norm::Line<const Sum> read(const T* image, const plan::Layout& l, int which) const {
            const T* at = image + offset(l);
            if constexpr (converts<T>) {
                Sum* to = part(which);
                each_piece(l, [&](std::ptrdiff_t there, std::ptrdiff_t here, std::ptrdiff_t size) {
                    widen(at + there, to + here, size);
                });
                return {to, channels};
            } else {
                return {at, step(l)};
            }
        }
        template <class T>
        batch_norm::Line<Sum> to_write(T* image, const plan::Layout& l, int which) const {
            if constexpr (converts<T>)
                return {part(which), channels};
            else
                return {image + offset(l), step(l)};
        }
        template <class T>
        void write(batch_norm::Line<Sum> from, T* image, const plan::Layout& l) const {
            if constexpr (converts<T>) {
                T* at = image + offset(l);
                each_piece(l, [&](std::ptrdiff_t there, std::ptrdiff_t here, std::ptrdiff_t size) {
                    narrow(from.at + here, at + there, size);
                });
            }
        }
        /// Elements without gaps, with their places in a value and in scratch: the whole line, or each pixel.
        template <class Body>
        void each_piece(const plan::Layout& l, Body body) const {
            if (step(l) == channels) return body(0, 0, std::ptrdiff_t{pixels} * channels);
            for (std::ptrdiff_t p = 0; p < pixels; ++p) body(p * step(l), p * channels, channels);
        }
        Channels from_first(const Channels& by) const {
            return {by.mean + first,
                    by.inverse + first,
                    by.gamma + first,
                    by.beta + first,
                    by.d_mean ? by.d_mean + first : nullptr,
                    by.d_x_hat_mean ? by.d_x_hat_mean + first : nullptr};
        }
    };

    template <class C, class Body>
    static void each_image(const C& call, Body body) {
        parallel_ranges(call.on.threads(), call.images, [&](int lane, int begin, int end) {
            Sum* scratch = reinterpret_cast<Sum*>(call.lane(lane));
            for (int n = begin; n < end; ++n) body(n, scratch);
        });
    }
    template <class C, class Body>
    static void each_line(const C& call, Sum* scratch, Body body) {
        const Shape s = call.site.in.shape;
        const int together = call.site.in.stride_c == 1 ? s.c : 1;
        for (int first = 0; first < s.c; first += together)
            for (int row = 0; row < s.h; ++row) body(LineOf{row, first, s.w, together, scratch});
    }

    template <class C>
    static void find_moments(const C& call) {
        const Record known = record(call);
        const int pixels = call.site.in.shape.h * call.site.in.shape.w;
        each_image(call, [&](int n, Sum* scratch) {
            double *mean = known.of_image(n, 0), *deviations = known.of_image(n, 1);
            std::fill_n(mean, 2 * known.channels, 0.0);
            each_line(call, scratch, [&](auto line) {
                batch_norm::add(line.read(call.in_image(n), call.site.in, 0), line.pixels, line.channels,
                                mean + line.first);
            });
            for (int c = 0; c < known.channels; ++c) mean[c] /= pixels;
            each_line(call, scratch, [&](auto line) {
                batch_norm::add_squares(line.read(call.in_image(n), call.site.in, 0), line.pixels, line.channels,
                                        mean + line.first, deviations + line.first);
            });
        });
        const plan::batch_norm::JoinMoments<Sum> join{known, call.images / call.pass.views, double(pixels)};
        parallel_for(call.on.threads(), known.channels, [&](int c) {
            for (int view = 0; view < call.pass.views; ++view) join(view, c);
        });
    }
    template <class C>
    static void find_sums(const C& call) {
        const Record known = record(call);
        const Shape s = call.site.in.shape;
        each_image(call, [&](int n, Sum* scratch) {
            double *d = known.of_image(n, 0), *d_x_hat = known.of_image(n, 1);
            std::fill_n(d, 2 * known.channels, 0.0);
            const Channels by = channels(call, n);
            each_line(call, scratch, [&](auto line) {
                batch_norm::add_d_out(line.read(call.in_image(n), call.site.in, 0),
                                      line.read(call.d_out_image(n), call.site.out, 1), line.pixels, line.channels,
                                      line.from_first(by), d + line.first, d_x_hat + line.first);
            });
        });
        const plan::batch_norm::JoinSums<Sum> join{known,           call.images / call.pass.views,
                                                   call.pass.views, double(s.h * s.w),
                                                   of_batch(call),  call.masters,
                                                   call.gradients};
        parallel_for(call.on.threads(), known.channels, [&](int c) { join(c); });
    }
};

}  // namespace SKEWGRAD_NAMESPACE::host
