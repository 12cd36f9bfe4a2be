// The CPU backends give the same bits for any number of threads and, outside training, for any batch an image stands
// in.
#define BOOST_TEST_MODULE backend_cpu_bits
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <skewgrad/attack/fgsm.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/evaluate/evaluate.hpp>
#include <skewgrad/train/trainer.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "backend/layers.hpp"
#include "backend/passes.hpp"
#include "backend/sets.hpp"
#include "backend/subjects.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 8, 8>, Conv<20>, Relu, Conv<17, 5, 2>, Relu, MaxPool<2>, Dropout<25>,
                     Residual<Conv<17>, Softplus>, Depthwise, Dense<33>, Relu, Dropout<50>, Dense<5>> {};
using Backends = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;

template <class B>
Model<Net, B> subject(int threads, cpu::InstructionSet set) {
    Model<Net, B> model(Seed{4}, typename B::Context(threads, set));
    shake(model);
    return model;
}

std::shared_ptr<const ImageStore> noise(std::size_t images) {
    std::vector<std::uint8_t> bytes(images * static_cast<std::size_t>(Net::image.size()));
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(256 * random_number(3, static_cast<std::uint32_t>(i)));
    return make_store("noise", Net::image, std::move(bytes), labels_in_turn(images, Net::classes));
}

/// All that an attack sees of its images, in blocks of so many.
struct Passed {
    std::vector<float> logits;
    std::vector<double> losses;
    xt::xtensor<float, 4> gradient;
    friend bool operator==(const Passed& a, const Passed& b) {
        return same_bits(a.logits, b.logits) && same_bits(a.losses, b.losses) && same_bits(a.gradient, b.gradient);
    }
};
template <class M>
Passed seen(const M& model, const xt::xtensor<float, 4>& x, const std::vector<Label>& y, int block) {
    ModelPasses<M> passes(model, x, y, block);
    passes.gradient(model);
    return {passes.logits(), passes.losses(), passes.dx()};
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_attack_does_not_depend_on_blocks_or_threads, B, Backends) {
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            // Blocks of 32 and of 1,000 leave a remainder; slower sets see fewer images, and no block of 1,000 is full.
            const std::size_t count =
                set != cpu::InstructionSet::portable && set == cpu::best_instruction_set() ? 1003 : 67;
            const auto x = random_images<float>(Net::image, count);
            const auto y = labels_in_turn(count, Net::classes);
            const Passed expected = seen(subject<B>(1, set), x, y, 32);
            for (const auto& [threads, block] : {std::pair(1, 1), {1, 1000}, {2, 1}, {2, 32}, {3, 32}, {3, 1000}})
                BOOST_TEST((seen(subject<B>(threads, set), x, y, block) == expected),
                           threads << " threads, blocks of " << block);
            const auto whole = subject<B>(2, set).logits(x);
            BOOST_TEST(same_bits(std::vector<float>(whole.begin(), whole.end()), expected.logits));
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(an_image_does_not_depend_on_the_others_of_its_batch, B, Backends) {
    const auto x = random_images<float>(Net::image, 40);
    const auto y = labels_in_turn(40, Net::classes);
    const Attack<FGSM, Ascent> attack{.epsilon = 0.02f};
    const Model<Net, B> model = subject<B>(2, cpu::best_instruction_set());
    const auto together = attack(model, x, y);
    const std::size_t pixels = x.size() / 40;
    for (const std::size_t n : {std::size_t{0}, std::size_t{17}, std::size_t{39}}) {
        auto one = xt::xtensor<float, 4>::from_shape({1, 3, 8, 8});
        std::copy_n(x.data() + n * pixels, pixels, one.data());
        const auto alone = attack(model, one, std::span(y).subspan(n, 1));
        BOOST_TEST(std::memcmp(alone.data(), together.data() + n * pixels, pixels * sizeof(float)) == 0);
    }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_list_streamed_from_bytes_equals_its_images, B, Backends) {
    const TestData data(noise(130));
    const Model<Net, B> model = subject<B>(2, cpu::best_instruction_set());
    BOOST_TEST(same_bits(model.logits(data), model.logits(data.images())));
    BOOST_TEST((evaluate(model, data) == evaluate(model, data.images(), data.labels())));
}

// 23 images in batches of 8: every third batch has 7.
BOOST_AUTO_TEST_CASE_TEMPLATE(training_does_not_depend_on_threads, B, Backends) {
    const auto store = noise(30);
    const TrainingData data(store);
    const TrainingData fit =
        data.of_items({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 17, 18, 19, 20, 21});
    const ValidationData validation(store, {22, 23, 24, 25, 26, 27, 28, 29});
    const Trainer trainer{RmsProp{.learning_rate = 1e-3f, .decay = 1e-2f},
                          Recipe{.batch = 8, .rounds = 2, .updates_per_round = 7}};
    for (const auto set : sets_here()) BOOST_TEST_CONTEXT(cpu::name(set)) {
            Model<Net, B> one = subject<B>(1, set);
            const auto start = one.parameters();
            const History history = trainer.fit(one, fit, validation);
            BOOST_TEST(history.rounds.back().updates == 14u);
            BOOST_TEST(!same_bits(one.parameters(), start));
            for (const int threads : {2, 3}) {
                Model<Net, B> many = subject<B>(threads, set);
                const History other = trainer.fit(many, fit, validation);
                BOOST_TEST(same_bits(many.parameters(), one.parameters()));
                BOOST_TEST(other.rounds.back().validation_loss == history.rounds.back().validation_loss);
                BOOST_TEST(other.rounds.back().train_loss == history.rounds.back().train_loss);
            }
        }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(passes_leave_the_parameters_alone, B, Backends) {
    const Model<Net, B> model = subject<B>(2, cpu::best_instruction_set());
    const auto before = model.parameters();
    const auto x = random_images<float>(Net::image, 9);
    const auto y = labels_in_turn(9, Net::classes);
    Attack<FGSM, Ascent>{}(model, x, y);
    evaluate(model, x, y);
    model.parameter_gradient(x, y);
    BOOST_TEST(same_bits(model.parameters(), before));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(two_threads_may_use_one_model, B, Backends) {
    const Model<Net, B> model = subject<B>(2, cpu::best_instruction_set());
    const auto x = random_images<float>(Net::image, 40, 1), other = random_images<float>(Net::image, 40, 8);
    const auto y = labels_in_turn(40, Net::classes);
    const auto logits = model.logits(x);
    const auto gradient = model.input_gradient(other, y);
    int wrong_logits = 0, wrong_gradients = 0;
    {
        std::jthread first([&] {
            for (int i = 0; i < 4; ++i) wrong_logits += !same_bits(model.logits(x), logits);
        });
        std::jthread second([&] {
            for (int i = 0; i < 4; ++i) wrong_gradients += !same_bits(model.input_gradient(other, y), gradient);
        });
    }
    BOOST_TEST(wrong_logits == 0);
    BOOST_TEST(wrong_gradients == 0);
}

}  // namespace
