// Defines two layers of one's own, once for all backends, and checks them.
// links: reference command_line
#include <cmath>

#include <skewgrad/command_line.hpp>
#include <skewgrad/reference.hpp>
#include <skewgrad/report/table.hpp>

using namespace skewgrad;

// An element-wise layer: y = x, or x / 10 below 0, and dy/dx. Since dy/dx also follows from y, it runs in place, fused.
struct LeakyRelu {
    static constexpr const char* name = "leaky_relu";
    template <class S>
    static S value(S x) {
        return x > 0 ? x : x / 10;
    }
    template <class S>
    static S slope(S x) {
        return x > 0 ? S(1) : S(0.1);
    }
    static auto slope_from_value(auto y) { return slope(y); }
};
// A gather layer with parameters: y(c, h, w) = scale(c) x(c, h, w), and the gradients of x(c, h, w) and of scale(k).
struct ChannelScale {
    static constexpr const char* name = "channel_scale";
    static constexpr Parameters<1> parameters(Shape in) {
        return {Parameter{"weight", {in.c, 1, 1, 1}, Role::trainable, Initial::ones}};
    }
    static auto value(auto in, auto p, int c, int h, int w) { return p[c] * in(c, h, w); }
    static auto input_gradient(auto, auto d_out, auto p, int c, int h, int w) { return p[c] * d_out(c, h, w); }
    static auto parameter_gradient(auto in, auto d_out, auto, int k) {
        decltype(in(k, 0, 0)) sum = 0;
        for (int h = 0; h < in.shape.h; ++h)
            for (int w = 0; w < in.shape.w; ++w) sum += in(k, h, w) * d_out(k, h, w);
        return sum;
    }
};
// The experiment: compares the same network on f32 kernels and in plain double, before and after training.
struct Net : Network<Image<3, 32, 32>, Conv<16>, ChannelScale, LeakyRelu, MaxPool<4>, Conv<32>, LeakyRelu, MaxPool<4>,
                     Dense<10>> {};
constexpr Embedded made{.train_per_class = 330, .test_per_class = 100};
constexpr Trainer trainer{Adam{.learning_rate = 2e-3f}, Recipe{.batch = 32, .rounds = 10, .updates_per_round = 90}};
double distance(const auto& ours, const auto& exact) {
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < exact.size(); ++i)
        apart += std::pow(ours.data()[i] - exact.data()[i], 2), size += std::pow(exact.data()[i], 2);
    return std::sqrt(apart / size);
}

int main(int argc, char** argv) {
    CLI::App app{"Runs a network with two layers of one's own on two backends, and trains it"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out", "--epsilon"}) app.remove_option(app.get_option(unused));
    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        const auto [fit, validation] = hold_out(data.train, {.per_class = 30, .seed = options.seed});
        const TestData few = data.test.of_items({0, 1, 2, 3, 4, 5, 6, 7});
        Model<Net, Cpu<f32>> model{options.seed, Cpu<f32>::Context(options.threads)};
        Table table({{"network", Align::left},
                     {"logits", Align::right, 9},
                     {"input gradient", Align::right, 9},
                     {"parameter gradient", Align::right, 9},
                     {"test accuracy %", Align::right, 1}});
        for (const bool trained : {false, true}) {
            if (trained) trainer.fit(model, fit, validation);
            const Model<Net, Reference<double>> exact(model);
            const xt::xtensor<float, 4> x = few.images();
            const auto y = few.labels();
            table.add({trained ? "trained" : "fresh", distance(model.logits(x), exact.logits(x)),
                       distance(model.input_gradient(x, y), exact.input_gradient(x, y)),
                       distance(model.parameter_gradient(x, y), exact.parameter_gradient(x, y)),
                       100 * evaluate(model, data.test).accuracy().value()});
        }
        std::cout << "||a - b|| / ||b||, a on " << Cpu<f32>::name() << ", b on " << Reference<double>::name() << "\n\n"
                  << to_text(table);
    });
}
