// Networks with batch normalisation, passes over whole batches, and what every backend must make of them.
#pragma once
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <skewgrad/model/model.hpp>
#include <span>
#include <string>
#include <vector>

#include "backend/against_reference.hpp"
#include "backend/layers.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"

namespace skewgrad_tests::batch_norms {
using namespace skewgrad;

// On the image, behind convolutions and dense layers, before layers that fuse and layers that do not, within branches,
// behind pools and a user's layer, twice in turn, last; 1, 3, 16, 17 and 33 channels, one pixel.
struct OnImage : Network<Image<3, 5, 4>, BatchNorm, Conv<17>, BatchNorm, Relu, Conv<1>, BatchNorm, Softplus, Dense<3>> {
};
struct Joined : Network<Image<3, 6, 6>, Conv<16>, BatchNorm, Relu,
                        Residual<Conv<16>, BatchNorm, Relu, Conv<16>, BatchNorm>, Relu, AveragePool<6>, Dense<3>> {};
struct OnePixel
    : Network<Image<5, 3, 3>, Dense<33>, BatchNorm, Relu, Dense<16>, BatchNorm, Sigmoid, Dense<3>, BatchNorm> {};
struct Branches : Network<Image<3, 4, 4>, Residual<BatchNorm, Relu>, Residual<BatchNorm>, BatchNorm, BatchNorm,
                          MaxPool<2>, BatchNorm, Depthwise, BatchNorm, Dense<3>> {};

/// Where a network's parameters of a role lie in its canonical vector.
template <class N>
std::vector<std::size_t> positions(Role role) {
    std::vector<std::size_t> all;
    std::size_t at = 0;
    for (const Parameter& p : N::parameters)
        for (std::size_t i = 0; i < p.size(); ++i, ++at)
            if (p.role == role) all.push_back(at);
    return all;
}
template <class Values>
std::vector<double> chosen(const std::vector<std::size_t>& which, const Values& values) {
    std::vector<double> some;
    for (const std::size_t k : which) some.push_back(static_cast<double>(values[k]));
    return some;
}

/// Random parameters that f32 can hold; running means in (-1/4, 1/4), running variances in (1/4, 5/4).
template <class M>
void unsettle(M& model) {
    shake(model);
    auto values = model.parameters();
    std::size_t at = 0;
    for (const Parameter& p : M::Network::parameters)
        for (std::size_t i = 0; i < p.size(); ++i, ++at) {
            const float u = random_number(5, static_cast<std::uint32_t>(at));
            if (p.role == Role::statistic) values[at] = p.initial == Initial::ones ? 0.25f + u : 0.5f * (u - 0.5f);
            values[at] = static_cast<typename M::Real>(static_cast<float>(values[at]));
        }
    model.set_parameters(values);
}
template <class N, class B>
Model<N, B> subject(typename B::Context on = {}) {
    Model<N, B> model(Seed{11}, on);
    unsettle(model);
    return model;
}

template <class R>
struct EachVersion {
    const FormulaOf<CrossEntropy>* formula;
    LogitBlock<R> block;
    int views, picks;
    const Label* labels;
    double* losses;
    R* logits;

    SKEWGRAD_FN void operator()(int n) const {
        const int classes = block.z.classes;
        for (int v = 0; v < views; ++v) {
            const int row = n + v * block.count, image = v * picks + block.first + n, label = index(labels[image]);
            const LossCase<R> of{block.z[row], nullptr, classes, label, label, nullptr};
            const double weight = v + 1.0;
            losses[image] = weight * (*formula)(of, weight / picks, block.dz[row], static_cast<R*>(nullptr));
            for (int k = 0; k < classes; ++k) logits[image * classes + k] = block.z[row][k];
            if (block.dz.data)
                for (int k = classes; k < block.dz.stride; ++k) block.dz[row][k] = 0;
        }
    }
};

/// What a pass leaves of its images, view after view: logits, gradients at the pixels (C x H x W) and at all
/// parameters.
template <class R>
struct Left {
    double loss = 0;
    std::vector<R> logits, dx, gradients;
    friend bool operator==(const Left& a, const Left& b) {
        return a.loss == b.loss && same_bits(a.logits, b.logits) && same_bits(a.dx, b.dx) &&
               same_bits(a.gradients, b.gradients);
    }
};

/// Passes over `picks` images in `pass.views` versions, each image with a label of its own. The loss is the mean over
/// the picks of the versions' cross-entropies, that of view v counted v + 1 times: no view can stand for another.
template <class M>
class WholePasses {
public:
    using P = typename M::Operations;
    using S = typename M::SpaceType;
    using Real = typename M::Real;
    template <class T>
    using Array = typename S::template Array<T>;

    WholePasses(const M& of, int picks, const Pass& pass)
        : picks_(picks),
          pass_(pass),
          images_(static_cast<std::size_t>(picks * pass.views)),
          own_(P::make_workspace(of.context(), M::plan(), Mode::train, picks * pass.views)),
          queue_(P::queue(of.context())),
          x_(S::template make<Real>(queue_, pixels())),
          dx_(S::template make<Real>(queue_, pixels())),
          logits_(S::template make<Real>(queue_, images_ * static_cast<std::size_t>(M::classes))),
          losses_(S::template make<double>(queue_, images_)),
          labels_(model::sent<S>(queue_, std::span<const Label>(labels_in_turn(images_, M::classes)))),
          formula_(S::template make<Formula>(queue_, 1)) {
        const Formula one = CrossEntropy{}.at({});
        S::template put<Formula>(queue_, {&one, 1}, formula_);
        load(random_images<Real>(M::Network::image, images_));
    }
    template <class X>
    void load(const X& canonical) {
        images::load<S, Real>(queue_, order(), {canonical.data(), canonical.size()}, x_.data());
    }

    /// The loss by a forward pass alone.
    double loss(const M& model) {
        P::forward(model.context(), M::plan(), model.backend_parameters(), x_.data(), picks_, own_, pass_, visit());
        return mean_loss();
    }
    /// All that a pass with every gradient leaves.
    Left<Real> all(const M& model) {
        auto training = P::make_training(model.context(), M::plan(), model::GradientsOnly{});
        P::differentiate(model.context(), M::plan(), model.backend_parameters(), x_.data(), picks_, own_, pass_,
                         visit(), dx_.data(), training);
        Left<Real> left = found();
        left.gradients = exported(model, training);
        return left;
    }
    /// As a training step asks: no gradients at the pixels.
    std::vector<Real> gradients(const M& model) {
        auto training = P::make_training(model.context(), M::plan(), model::GradientsOnly{});
        P::differentiate(model.context(), M::plan(), model.backend_parameters(), x_.data(), picks_, own_, pass_,
                         visit(), nullptr, training);
        return exported(model, training);
    }
    /// As an attack asks: no gradients of parameters.
    Left<Real> at_pixels(const M& model) {
        P::differentiate(model.context(), M::plan(), model.backend_parameters(), x_.data(), picks_, own_, pass_,
                         visit(), dx_.data());
        return found();
    }
    /// The same through a view, with the workspaces that it makes.
    Left<Real> at_pixels(ModelView<S>& view) {
        view.differentiate(x_.data(), picks_, pass_, visit(), dx_.data());
        return found();
    }
    double loss(ModelView<S>& view) {
        view.forward(x_.data(), picks_, pass_, visit());
        return mean_loss();
    }

private:
    using Formula = FormulaOf<CrossEntropy>;
    static PixelOrder order() { return P::pixels(M::plan()); }
    std::size_t pixels() const { return images_ * static_cast<std::size_t>(M::Network::image.size()); }
    auto visit() {
        return [this](const typename S::Queue& on, const LogitBlock<Real>& block) {
            S::each(on, block.count,
                    EachVersion<Real>{formula_.data(), block, pass_.views, picks_, labels_.data(), losses_.data(),
                                      logits_.data()});
        };
    }
    double mean_loss() const {
        std::vector<double> each(images_);
        S::template get<double>(queue_, losses_, each);
        double sum = 0;
        for (const double loss : each) sum += loss;
        return sum / picks_;
    }
    Left<Real> found() const {
        Left<Real> left{.loss = mean_loss(), .logits = {}, .dx = {}, .gradients = {}};
        left.logits.resize(logits_.size());
        left.dx.resize(pixels());
        S::template get<Real>(queue_, logits_, left.logits);
        images::unload<S, Real>(queue_, order(), dx_.data(), {left.dx.data(), left.dx.size()});
        return left;
    }
    template <class Training>
    static std::vector<Real> exported(const M& model, const Training& training) {
        std::vector<Real> out(M::Network::state_size);
        P::export_gradients(model.context(), M::plan(), training, out);
        model.context().wait();
        return out;
    }

    int picks_;
    Pass pass_;
    std::size_t images_;
    typename P::Workspace own_;
    typename S::Queue queue_;
    Array<Real> x_, dx_, logits_;
    Array<double> losses_;
    Array<Label> labels_;
    Array<Formula> formula_;
};

inline constexpr Pass of_running{}, of_batch{.statistics = BatchStatistics::batch},
    of_batch_in_two_views{.statistics = BatchStatistics::batch, .views = 2};
inline const char* name_of(const Pass& pass) {
    return pass.statistics == BatchStatistics::running ? "running" : pass.views == 2 ? "batch, two views" : "batch";
}

/// ||a - b|| over a tensor, relative to ||b|| there or, where that is more, to a hundredth of all of b: a bias before
/// batch normalisation has no gradient but roundings.
template <class A, class B>
double tensor_distance(const A& a, const B& b, std::size_t first, std::size_t count) {
    double difference = 0, here = 0, whole = 0;
    for (std::size_t i = 0; i < b.size(); ++i) {
        const double x = static_cast<double>(a[i]), y = static_cast<double>(b[i]);
        whole += y * y;
        if (i < first || i >= first + count) continue;
        difference += (x - y) * (x - y);
        here += y * y;
    }
    return std::sqrt(difference / std::fmax(here, 1e-4 * whole));
}
template <class N, class A, class B>
void check_parameters(const A& found, const B& expected, double allowed) {
    std::size_t at = 0;
    for (const Parameter& p : N::parameters) {
        BOOST_TEST_CONTEXT(p.name << " at " << at)
        BOOST_TEST(tensor_distance(found, expected, at, p.size()) < allowed);
        at += p.size();
    }
}

// More images than a training block holds, and with two views more than a view's workspace.
inline constexpr int many = 35;

/// Passes of a backend in f32 against the reference in double.
template <class N, class B, class Contexts>
void passes_agree(const Contexts& contexts) {
    const auto slow = subject<N, Reference<double>>();
    const xt::xtensor<double, 4> x = random_images<float>(N::image, many);
    const auto y = labels_in_turn(many, N::classes);
    for (const auto& [name, context] : contexts) {
        const Model<N, B> fast(slow, context);
        for (const Pass& pass : {of_running, of_batch, of_batch_in_two_views})
            BOOST_TEST_CONTEXT(name << ", statistics: " << name_of(pass)) {
                const double limit = tolerance<N>(static_cast<std::size_t>(many * pass.views));
                const auto expected = WholePasses<Model<N, Reference<double>>>(slow, many, pass).all(slow);
                const auto found = WholePasses<Model<N, B>>(fast, many, pass).all(fast);
                BOOST_TEST(std::abs(found.loss / expected.loss - 1) < limit);
                BOOST_TEST(relative_distance(found.logits, expected.logits) < limit);
                BOOST_TEST(relative_distance(found.dx, expected.dx) < limit);
                check_parameters<N>(found.gradients, expected.gradients, limit);
            }
        const xt::xtensor<typename B::Real, 4> x_of_fast = x;
        BOOST_TEST(relative_distance(fast.logits(x_of_fast), slow.logits(x)) < tolerance<N>(many));
        BOOST_TEST(relative_distance(fast.input_gradient(x_of_fast, y), slow.input_gradient(x, y)) <
                   tolerance<N>(many));
    }
}

/// Training steps likewise: what three steps move, trainable parameters and statistics each by themselves.
template <class N, class B, class Contexts>
void steps_agree(const Contexts& contexts) {
    constexpr int steps = 3;
    std::vector<Pick> picks(many);
    for (std::uint32_t i = 0; i < many; ++i) picks[i] = {i * 7 % many, i % 2};
    const Batch batch{.picks = picks, .epoch = 6, .seed = Seed{17}, .flips = true};
    const Sgd optimiser{.learning_rate = 0.1f, .momentum = 0.9f, .weight_decay = 0.05f};
    const auto store = noise_store<N>(many);
    StepSums slow_sums;
    auto slow = subject<N, Reference<double>>();
    const auto before = slow.parameters();
    train(slow, store, batch, optimiser, steps, slow_sums);
    const auto expected = slow.parameters();
    for (const auto& [name, context] : contexts) BOOST_TEST_CONTEXT(name) {
            StepSums sums;
            auto fast = subject<N, B>(context);
            train(fast, store, batch, optimiser, steps, sums);
            const auto found = fast.parameters();
            for (const Role role : {Role::trainable, Role::statistic}) {
                const auto which = positions<N>(role);
                const auto from = chosen(which, before);
                auto moved = chosen(which, found), change = chosen(which, expected);
                double size_of_change = 0, size = 0;
                for (std::size_t i = 0; i < which.size(); ++i) {
                    moved[i] -= from[i];
                    change[i] -= from[i];
                    size_of_change += change[i] * change[i];
                    size += from[i] * from[i];
                }
                // A sum w + dw rounds to w's own precision.
                const double rounding = steps * 0x1p-24 * std::sqrt(size / size_of_change);
                BOOST_TEST(relative_distance(moved, change) < steps * tolerance<N>(many) + rounding,
                           (role == Role::trainable ? "trainable" : "statistics"));
            }
            BOOST_TEST(sums.updates == std::uint64_t{steps});
            BOOST_TEST(sums.correct == slow_sums.correct);
            BOOST_TEST(std::abs(sums.loss_sum / slow_sums.loss_sum - 1) < steps * tolerance<N>(many));
        }
}

/// Mean, biased and unbiased variance of each channel of images x channels x pixels.
struct Moments {
    std::vector<double> mean, biased, unbiased;

    Moments(const std::vector<double>& x, std::size_t channels, std::size_t pixels) {
        const std::size_t images = x.size() / (channels * pixels);
        const double count = static_cast<double>(images * pixels);
        for (std::size_t c = 0; c < channels; ++c) {
            double sum = 0, squares = 0;
            for (std::size_t n = 0; n < images; ++n)
                for (std::size_t p = 0; p < pixels; ++p) sum += x[(n * channels + c) * pixels + p];
            mean.push_back(sum / count);
            for (std::size_t n = 0; n < images; ++n)
                for (std::size_t p = 0; p < pixels; ++p)
                    squares += std::pow(x[(n * channels + c) * pixels + p] - mean[c], 2);
            biased.push_back(squares / count);
            unbiased.push_back(count > 1 ? squares / (count - 1) : squares);
        }
    }
};
/// Pixels of picked images of a store.
inline std::vector<double> pixels_of(const ImageStore& store, std::span<const Pick> picks) {
    const auto size = static_cast<std::size_t>(store.shape.size());
    std::vector<double> all;
    for (const Pick& pick : picks)
        for (std::size_t i = 0; i < size; ++i)
            all.push_back(static_cast<double>(byte_to_float[store.bytes.get()[pick.item * size + i]]));
    return all;
}

/// Images whose channels are hard to tell apart from their means: 250 or 251; 77; noise.
inline std::shared_ptr<const ImageStore> flat_store(Shape shape, std::size_t images, int classes) {
    std::vector<std::uint8_t> bytes(images * static_cast<std::size_t>(shape.size()));
    const auto plane = static_cast<std::size_t>(shape.h * shape.w);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const float u = random_number(3, static_cast<std::uint32_t>(i));
        const std::size_t channel = i / plane % 3;
        bytes[i] = static_cast<std::uint8_t>(channel == 0 ? (u < 0.5f ? 250 : 251) : channel == 1 ? 77 : 256 * u);
    }
    return make_store("flat", shape, std::move(bytes), labels_in_turn(images, classes));
}

struct Followed : Network<Image<3, 4, 4>, BatchNorm, Conv<17, 1>, BatchNorm, Relu, Dense<4>> {};

/// The statistics of a batch in Followed, in canonical order, by plain loops.
inline std::vector<double> statistics_of_batch(std::vector<double> x, const std::vector<double>& parameters) {
    constexpr std::size_t pixels = 16, in = 3, out = 17;
    const double *gamma = parameters.data(), *beta = gamma + in, *w = gamma + 4 * in, *bias = w + out * in;
    const Moments first(x, in, pixels);
    const std::size_t images = x.size() / (in * pixels);
    std::vector<double> y(images * out * pixels);
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i / pixels % in;
        x[i] = gamma[c] * (x[i] - first.mean[c]) / std::sqrt(first.biased[c] + double{BatchNorm::epsilon}) + beta[c];
    }
    for (std::size_t n = 0; n < images; ++n)
        for (std::size_t o = 0; o < out; ++o)
            for (std::size_t p = 0; p < pixels; ++p) {
                double sum = bias[o];
                for (std::size_t c = 0; c < in; ++c) sum += w[o * in + c] * x[(n * in + c) * pixels + p];
                y[(n * out + o) * pixels + p] = sum;
            }
    const Moments second(y, out, pixels);
    std::vector<double> all;
    for (const auto* part : {&first.mean, &first.unbiased, &second.mean, &second.unbiased})
        all.insert(all.end(), part->begin(), part->end());
    return all;
}

/// What a backend's numbers allow: relative errors of a statistic and of a sum s + 0.1 (b - s).
struct Limits {
    double statistic, sum;
};

/// Step after step, statistics move a tenth of the way to those of the batch: of all of it, though it is more than a
/// training block and more than a view's workspace, of short ones and of one image. Optimisers leave them alone.
template <class B>
void statistics_follow_the_batches(const typename B::Context& on, const Limits& limits) {
    using M = Model<Followed, B>;
    const auto which = positions<Followed>(Role::statistic);
    const Sgd optimiser{.learning_rate = 0.05f, .momentum = 0.9f, .weight_decay = 0.5f};
    const auto shape = Followed::image;
    for (const auto& store : {noise_store<Followed>(90), flat_store(shape, 90, 4)}) {
        auto model = subject<Followed, B>(on);
        Steps<M, Sgd> step(model, store, optimiser, 80);
        StepSums sums;
        std::uint32_t item = 0;
        for (const std::uint32_t count : {80u, 80u, 13u, 1u, 33u}) BOOST_TEST_CONTEXT(count << " of " << store->name) {
                std::vector<Pick> picks(count);
                for (Pick& pick : picks) pick = {item++ % 90, 0};
                const auto before = model.parameters();
                step(Batch{.picks = picks}, sums);
                model.context().wait();
                const auto now = chosen(which, before), after = chosen(which, model.parameters());
                const auto batch = statistics_of_batch(pixels_of(*store, picks), {before.begin(), before.end()});
                BOOST_REQUIRE(batch.size() == now.size());
                for (std::size_t i = 0; i < now.size(); ++i) {
                    const double moved = (after[i] - now[i]) / double{BatchNorm::momentum};
                    const double error = std::abs(moved - (batch[i] - now[i]));
                    // Deviations of second statistics are near 1, whatever the statistic is. The mean of flat's first
                    // channel is 500 of its deviations, so that a rounding of it moves them by 500 roundings.
                    const double deviation = store->name == "flat" ? 20 : 1;
                    const double size = std::abs(batch[i]) + (i < 6 ? 1e-6 : deviation);
                    BOOST_TEST(error <= limits.statistic * size + limits.sum * std::abs(now[i]),
                               "statistic " << i << ": " << now[i] << " moved by " << moved << " to " << batch[i]
                                            << ", off by " << error);
                }
            }
        BOOST_TEST(sums.updates == 5u);
        std::vector<typename B::Real> slots(Followed::state_size);
        M::Operations::export_slot(model.context(), M::plan(), step.training(), 0, slots);
        model.context().wait();
        for (const double slot : chosen(which, slots)) BOOST_TEST(slot == 0);
    }
}

/// At the statistics a pass leaves b - s in the gradients, the mean of the views where there are several; with running
/// statistics nothing.
template <class B>
void statistics_stand_in_the_gradients(const typename B::Context& on, const Limits& limits) {
    using M = Model<Followed, B>;
    using Real = typename B::Real;
    const auto model = subject<Followed, B>(on);
    const auto which = positions<Followed>(Role::statistic);
    const auto parameters = model.parameters();
    const auto now = chosen(which, parameters);
    for (const int views : {1, 2}) BOOST_TEST_CONTEXT(views << " views") {
            const Pass pass{.statistics = BatchStatistics::batch, .views = views};
            // The second view is brighter than the first.
            auto x = random_images<Real>(Followed::image, static_cast<std::size_t>(many * views));
            const std::size_t view = many * static_cast<std::size_t>(Followed::image.size());
            for (std::size_t i = view; i < x.size(); ++i) x.data()[i] = Real(0.5) + Real(0.25) * x.data()[i];
            WholePasses<M> passes(model, many, pass);
            passes.load(x);
            const auto left = passes.all(model);
            const auto found = chosen(which, left.gradients);
            std::vector<double> expected(now.size());
            for (int v = 0; v < views; ++v) {
                const Real* first = x.data() + static_cast<std::size_t>(v) * view;
                const auto of_view = statistics_of_batch({first, first + view}, {parameters.begin(), parameters.end()});
                for (std::size_t i = 0; i < now.size(); ++i) expected[i] += of_view[i] / views;
            }
            for (std::size_t i = 0; i < now.size(); ++i) {
                const double size = std::abs(expected[i]) + std::abs(now[i]) + (i < 6 ? 0 : 1);
                BOOST_TEST(std::abs(found[i] - (expected[i] - now[i])) <= limits.statistic * size, "statistic " << i);
            }
            // A step asks for no gradients at the pixels, an attack for none of the parameters: the same numbers.
            BOOST_TEST(same_bits(passes.gradients(model), left.gradients));
            BOOST_TEST(same_bits(passes.at_pixels(model).dx, left.dx));
            BOOST_TEST(passes.loss(model) == left.loss);
        }
    for (const double at : chosen(which, WholePasses<M>(model, many, of_running).all(model).gradients))
        BOOST_TEST(at == 0);
}

/// A single image of one pixel a channel has no variance: what comes out is beta, nothing goes back, and the biased
/// variance is what statistics move to.
template <class B>
void one_value_is_its_own_mean(const typename B::Context& on) {
    using M = Model<OnePixel, B>;
    const auto model = subject<OnePixel, B>(on);
    const auto parameters = model.parameters();
    const auto left = WholePasses<M>(model, 1, of_batch).all(model);
    const std::size_t beta = OnePixel::state_size - 3 * 3, variance = OnePixel::state_size - 3;
    for (std::size_t k = 0; k < 3; ++k) {
        BOOST_TEST(left.logits[k] == parameters[beta + k]);
        BOOST_TEST(std::abs(left.gradients[variance + k] + parameters[variance + k]) < 1e-6);
    }
    for (const auto at : left.dx) BOOST_TEST(at == 0);
}

/// A step that is refused changes no parameter and no statistic, and leaves no gradient for the next.
template <class B>
void a_refused_step_changes_nothing(const typename B::Context& on) {
    using M = Model<Followed, B>;
    auto model = subject<Followed, B>(on);
    auto values = model.parameters();
    values.back() = std::numeric_limits<typename B::Real>::quiet_NaN();
    model.set_parameters(values);
    const auto before = model.parameters();
    const std::vector<Pick> picks{{1, 0}, {2, 0}, {3, 0}};
    Steps<M, Sgd> step(model, noise_store<Followed>(5), Sgd{.learning_rate = 1}, 3);
    StepSums sums;
    step(Batch{.picks = picks}, sums);
    BOOST_TEST(!sums.finite());
    model.context().wait();
    BOOST_TEST(same_bits(model.parameters(), before));
    std::vector<typename B::Real> gradients(Followed::state_size);
    M::Operations::export_gradients(model.context(), M::plan(), step.training(), gradients);
    model.context().wait();
    for (const auto at : gradients) BOOST_TEST(at == 0);
}

/// A view of few images makes room for a batch that must be seen whole; running statistics then give what they gave.
template <class B>
void a_view_takes_the_batchs_statistics(const typename B::Context& on) {
    using M = Model<Joined, B>;
    constexpr int count = 80;
    const auto model = subject<Joined, B>(on);
    auto view = model.view(3);
    WholePasses<M> batch(model, count, of_batch), running(model, count, of_running);
    const auto before = running.at_pixels(view);
    const auto expected = batch.at_pixels(model), found = batch.at_pixels(view);
    BOOST_TEST(relative_distance(found.logits, expected.logits) < tolerance<Joined>(count));
    BOOST_TEST(relative_distance(found.dx, expected.dx) < tolerance<Joined>(count));
    BOOST_TEST(std::abs(batch.loss(view) / expected.loss - 1) < tolerance<Joined>(count));
    BOOST_TEST(relative_distance(found.logits, before.logits) > 0.01);
    BOOST_TEST((running.at_pixels(view) == before));
}

/// y = scale (x - seen). `seen` follows the mean pixel, `largest` the largest of scale x: a user's layer with
/// statistics on both sides of what it trains.
struct Centred {
    static constexpr const char* name = "centred";
    static constexpr float momentum = 0.25f;
    static constexpr Parameters<3> parameters(Shape in) {
        return {Parameter{"seen", {in.c, 1, 1, 1}, Role::statistic},
                Parameter{"scale", {in.c, 1, 1, 1}, Role::trainable, Initial::ones},
                Parameter{"largest", {in.c, 1, 1, 1}, Role::statistic}};
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        return p[in.shape.c + c] * (in(c, h, w) - p[c]);
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View in, Gradient d_out, P p, int c, int h, int w) {
        return p[in.shape.c + c] * d_out(c, h, w);
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto parameter_gradient(View in, Gradient d_out, P p, int k) {
        const int c = k % in.shape.c;
        auto sum = d_out(c, 0, 0) * 0;
        for (int h = 0; h < in.shape.h; ++h)
            for (int w = 0; w < in.shape.w; ++w) sum += d_out(c, h, w) * (in(c, h, w) - p[c]);
        return sum;
    }
    template <class View, class P>
    SKEWGRAD_FN static auto statistic(View in, P p, int k) {
        const int c = k % in.shape.c;
        auto sum = in(c, 0, 0) * 0, most = p[in.shape.c + c] * in(c, 0, 0);
        for (int h = 0; h < in.shape.h; ++h)
            for (int w = 0; w < in.shape.w; ++w) {
                const auto scaled = p[in.shape.c + c] * in(c, h, w);
                sum += in(c, h, w);
                most = scaled > most ? scaled : most;
            }
        return k < in.shape.c ? sum / static_cast<float>(in.shape.h * in.shape.w) : most;
    }
};
struct Owned : Network<Image<3, 4, 4>, Centred, Dense<4>> {};

template <class B>
void a_users_statistics_follow_the_batches(const typename B::Context& on, const Limits& limits) {
    constexpr std::size_t channels = 3, pixels = 16;
    auto model = subject<Owned, B>(on);
    const auto store = noise_store<Owned>(90);
    Steps<Model<Owned, B>, Sgd> step(model, store, Sgd{.learning_rate = 0.05f, .weight_decay = 0.5f}, 80);
    StepSums sums;
    std::uint32_t item = 0;
    for (const std::uint32_t count : {80u, 13u, 1u}) BOOST_TEST_CONTEXT(count << " images") {
            std::vector<Pick> picks(count);
            for (Pick& pick : picks) pick = {item++ % 90, 0};
            const auto before = model.parameters();
            step(Batch{.picks = picks}, sums);
            model.context().wait();
            const auto after = model.parameters();
            const auto x = pixels_of(*store, picks);
            for (std::size_t c = 0; c < channels; ++c) {
                const double scale = static_cast<double>(before[channels + c]);
                double seen = 0, largest = 0;
                for (std::size_t n = 0; n < count; ++n) {
                    double sum = 0, most = -1e300;
                    for (std::size_t p = 0; p < pixels; ++p) {
                        const double at = x[(n * channels + c) * pixels + p];
                        sum += at / pixels;
                        most = std::fmax(most, scale * at);
                    }
                    seen += sum / count;
                    largest += most / count;
                }
                const auto moves = [&](std::size_t k, double to) {
                    const double now = static_cast<double>(before[k]), moved = static_cast<double>(after[k]) - now;
                    BOOST_TEST(std::abs(moved / 0.25 - (to - now)) < limits.statistic + limits.sum * std::abs(now),
                               "statistic " << k);
                };
                moves(c, seen);
                moves(2 * channels + c, largest);
                BOOST_TEST(after[channels + c] != before[channels + c]);
            }
        }
    const auto which = positions<Owned>(Role::statistic);
    WholePasses<Model<Owned, B>> running(model, 5, of_running);
    for (const double at : chosen(which, running.all(model).gradients)) BOOST_TEST(at == 0);
}

/// y = x - seen, which follows the first pixel: a layer that trains nothing needs no `parameter_gradient`.
struct Follows {
    static constexpr const char* name = "follows";
    static constexpr float momentum = 0.5f;
    static constexpr Parameters<1> parameters(Shape in) {
        return {Parameter{"seen", {in.c, 1, 1, 1}, Role::statistic}};
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        return in(c, h, w) - p[c];
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View, Gradient d_out, P, int c, int h, int w) {
        return d_out(c, h, w);
    }
    template <class View, class P>
    SKEWGRAD_FN static auto statistic(View in, P, int k) {
        return in(k, 0, 0);
    }
};
struct NothingTrained : Network<Image<3, 4, 4>, Follows, Dense<4>> {};

template <class B>
void a_layer_may_have_statistics_alone(const typename B::Context& on, const Limits& limits) {
    auto model = subject<NothingTrained, B>(on);
    const auto store = noise_store<NothingTrained>(9);
    Steps<Model<NothingTrained, B>, Sgd> step(model, store, Sgd{.learning_rate = 0.05f}, 9);
    StepSums sums;
    const std::vector<Pick> picks{{4, 0}, {2, 0}, {7, 0}};
    const auto before = model.parameters();
    step(Batch{.picks = picks}, sums);
    model.context().wait();
    const auto after = model.parameters();
    const auto x = pixels_of(*store, picks);
    for (std::size_t c = 0; c < 3; ++c) {
        const double now = static_cast<double>(before[c]), mean = (x[c * 16] + x[c * 16 + 48] + x[c * 16 + 96]) / 3;
        BOOST_TEST(std::abs(static_cast<double>(after[c]) - (now + mean) / 2) <
                   limits.statistic + limits.sum * std::abs(now));
    }
    BOOST_TEST(after[3] != before[3]);
}

}  // namespace skewgrad_tests::batch_norms
