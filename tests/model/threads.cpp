// What threads of a model's context cost and may not change: no memory in a step, the same bits from fewer threads.
#define BOOST_TEST_MODULE model_threads
#include <array>
#include <atomic>
#include <boost/mpl/list.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <skewgrad/attack/attacks.hpp>
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/core/jobs.hpp>
#include <skewgrad/core/start_thread.hpp>
#include <skewgrad/data/batches.hpp>
#include <skewgrad/model/model.hpp>
#include <thread>
#include <vector>

#include "backend/layers.hpp"
#include "backend/passes.hpp"
#include "backend/sets.hpp"
#include "backend/steps.hpp"
#include "backend/subjects.hpp"

namespace {

std::atomic<bool> counting = false;
std::atomic<int> allocations = 0;

void* counted(std::size_t size, std::size_t alignment) {
    if (counting) ++allocations;
    if (void* at = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return at;
    throw std::bad_alloc();
}

}  // namespace

// Not inlined: g++ would take free() for the wrong end of what operator new gave.
void* operator new(std::size_t size) { return counted(size + 1, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new[](std::size_t size) { return counted(size + 1, __STDCPP_DEFAULT_NEW_ALIGNMENT__); }
void* operator new(std::size_t size, std::align_val_t to) { return counted(size + 1, static_cast<std::size_t>(to)); }
void* operator new[](std::size_t size, std::align_val_t to) { return counted(size + 1, static_cast<std::size_t>(to)); }
[[gnu::noinline]] void operator delete(void* at) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete[](void* at) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete(void* at, std::size_t) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete[](void* at, std::size_t) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete(void* at, std::align_val_t) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete[](void* at, std::align_val_t) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete(void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }
[[gnu::noinline]] void operator delete[](void* at, std::size_t, std::align_val_t) noexcept { std::free(at); }

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

struct Net : Network<Image<3, 8, 8>, Conv<20>, Relu, Conv<32>, Relu, Conv<17, 5, 2>, Relu, MaxPool<2>, Dropout<25>,
                     Residual<Conv<17>, Softplus>, Depthwise, Dense<33>, Relu, Dropout<50>, Dense<5>> {};
using Backends = boost::mpl::list<Cpu<f32>, Cpu<bf16>>;

/// How often `work` allocates, on whatever thread.
template <class Work>
int allocations_of(const Work& work) {
    allocations = 0;
    counting = true;
    work();
    counting = false;
    return allocations;
}

/// A model and all that its passes need, for more images than a workspace holds.
template <class B>
struct Subject {
    using M = Model<Net, B>;
    using S = typename M::SpaceType;
    static constexpr int images = 40;

    explicit Subject(typename B::Context on)
        : model(Seed{4}, on),
          labels(labels_in_turn(images, Net::classes)),
          x(random_images<float>(Net::image, images)),
          passes(model, x, labels, 32),
          steps(model, noise_store<Net>(images), RmsProp{}, images, true),
          view(model.view(images)),
          memory(view.queue(), view.pixels(), images, Seed{}),
          task(memory.load(std::span<const float>(x.data(), x.size()), labels, {}, 0)),
          own(attack, view, images) {
        for (std::uint32_t n = 0; n < images; ++n) picks.push_back({.item = n});
    }
    void train() { steps.step(Batch{.picks = picks, .seed = Seed{9}}, updates++); }
    void evaluate() { passes.forward(model); }
    void gradient() { passes.gradient(model); }
    void move() { attack.run(view, task, own); }

    /// All that comes of some steps and passes.
    std::vector<float> results() {
        for (int step = 0; step < 3; ++step) train();
        gradient();
        move();
        evaluate();
        std::vector<float> all = model.parameters();
        const auto logits = passes.logits();
        all.insert(all.end(), logits.begin(), logits.end());
        all.insert(all.end(), task.out, task.out + x.size());
        return all;
    }

    M model;
    std::vector<Label> labels;
    xt::xtensor<float, 4> x;
    ModelPasses<M> passes;
    Steps<M, RmsProp> steps;
    NetworkView<B> view;
    attack::TaskMemory<S> memory;
    Task<S> task;
    Attack<PGD> attack{.epsilon = 0.03f, .steps = 2, .restarts = 2};
    typename Attack<PGD>::template Scratch<S> own;
    std::vector<Pick> picks;
    std::uint64_t updates = 0;
};

std::atomic<int> more_threads = 0;

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(nothing_is_allocated_in_a_step_or_pass, B, Backends) {
    BOOST_TEST(allocations_of([] { std::vector<int> some(3); }) == 1);
    for (const auto set : sets_here())
        for (const int threads : {1, 2}) BOOST_TEST_CONTEXT(cpu::name(set) << ", " << threads << " threads") {
                Subject<B> subject(typename B::Context(threads, set));
                subject.results();
                BOOST_TEST(allocations_of([&] { subject.train(); }) == 0);
                BOOST_TEST(allocations_of([&] { subject.evaluate(); }) == 0);
                BOOST_TEST(allocations_of([&] { subject.gradient(); }) == 0);
                BOOST_TEST(allocations_of([&] { subject.move(); }) == 0);
            }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(fewer_threads_than_a_contexts_give_the_same_bits, B, Backends) {
    const auto expected = Subject<B>(typename B::Context(1)).results();
    for (const int many : {0, 1, 2}) {
        std::vector<float> results;
        std::jthread([&] {  // which has no threads yet
            more_threads = many;
            may_start_thread = [] { return more_threads-- > 0; };
            results = Subject<B>(typename B::Context(4)).results();
            may_start_thread = nullptr;
            BOOST_TEST(more_threads < 0);
        })
            .join();
        BOOST_TEST(same_bits(results, expected), many << " more threads");
    }
}

// On one thread that calls, and on several at the same time.
BOOST_AUTO_TEST_CASE_TEMPLATE(several_contexts_give_the_same_bits, B, Backends) {
    const auto expected = Subject<B>(typename B::Context(1)).results();
    Subject<B> two(typename B::Context(2)), three(typename B::Context(3)), again(typename B::Context(2));
    for (int step = 0; step < 3; ++step)
        for (auto* subject : {&two, &three, &again}) subject->train();
    for (auto* subject : {&two, &three, &again}) {
        Subject<B> fresh(typename B::Context(3));
        for (int step = 0; step < 3; ++step) fresh.train();
        BOOST_TEST(same_bits(subject->model.parameters(), fresh.model.parameters()));
    }
    std::array<std::vector<float>, 6> results;
    Jobs().run(3, results.size(), [&](std::size_t, std::size_t task) {
        results[task] = Subject<B>(typename B::Context(1 + static_cast<int>(task) % 3)).results();
    });
    for (const auto& one : results) BOOST_TEST(same_bits(one, expected));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(contexts_refuse_numbers_that_no_team_has, B, Backends) {
    for (const int threads : {0, -1, 4097, 1215752191}) {
        BOOST_CHECK_THROW(typename B::Context{threads}, ValueError);
        BOOST_CHECK_THROW((typename B::Context{threads, cpu::InstructionSet::portable}), ValueError);
    }
    const typename B::Context most(4096);
    BOOST_TEST(most.threads() == 4096);
    BOOST_TEST(most.share(3).threads() == 1365);
    for (const int jobs : {0, -1}) BOOST_TEST(most.share(jobs).threads() == 4096);
    BOOST_TEST(most.share(10'000).threads() == 1);
}
