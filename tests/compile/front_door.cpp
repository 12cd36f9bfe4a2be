// A user's unit that takes the whole front door and asks for every program once: what each compiler must accept.
#include <skewgrad/skewgrad.hpp>

#if defined(__CUDACC__)
#include <skewgrad/cuda.hpp>
#endif

using namespace skewgrad;

struct Tiny : Network<Image<3, 32, 32>, Conv<8>, BatchNorm, Relu, MaxPool<2>, Dropout<25>,
                      Residual<Conv<8>, BatchNorm, Relu>, AveragePool<2>, Dense<10>> {};

template <Backend B>
float train_attack_evaluate() {
    const auto data = Embedded{.train_per_class = 4, .test_per_class = 2}.load();
    const auto parts = hold_out(data.train, {.per_class = 1, .seed = Seed{7}});
    const auto skewed = Sampler<Under>{.skewed_class = Label{3}, .count = 2}(parts.fit, Seed{7});
    Model<Tiny, B> model{Seed{7}};
    Trainer trainer{RmsProp{.learning_rate = 1e-4f, .decay = 1e-5f}, Recipe{.batch = 16, .patience = 1, .flips = true}};
    const History history = trainer.fit(model, skewed, parts.validation);
    Trainer adversarial{RmsProp{}, Recipe{.batch = 16, .patience = 1}, CrossEntropy{},
                        Adversarial{Attack<PGD>{.epsilon = 0.01f, .alpha = 0.005f, .steps = 2}}};
    adversarial.fit(model, skewed, parts.validation);
    const auto images = data.test.images();
    const auto labels = data.test.labels();
    const xt::xtensor<float, 4> up = Attack<FGSM, Ascent>{.epsilon = 0.01f}(model, images, labels);
    const xt::xtensor<float, 4> down = Attack<Iterative, Descent>{.epsilon = 0.01f}(model, images, labels);
    const Confusion after = evaluate(model, up, labels);
    static_cast<void>(history);
    static_cast<void>(after);
    return up(0, 0, 0, 0) - down(0, 0, 0, 0);
}

#if defined(__CUDACC__)
float on_a_gpu() { return train_attack_evaluate<Cuda<f32>>() + train_attack_evaluate<Cuda<bf16>>(); }
#endif
float on_both() { return train_attack_evaluate<Cpu<f32>>() + train_attack_evaluate<Cpu<bf16>>(); }
