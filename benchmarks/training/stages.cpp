// links: command_line reference
// Where the time of a training step and of an attack's gradient goes: every stage of a network on its place in the
// pass, timed around the functions that the schedule calls, so that nothing in the library knows of it.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <limits>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <skewgrad/command_line.hpp>
#include <skewgrad/report/table.hpp>
#include <skewgrad/skewgrad.hpp>

#include "../kernels/register_peak.hpp"
#include "../worker.hpp"
#include "checks.hpp"
#include "subjects.hpp"

using namespace skewgrad;

namespace {

using Clock = std::chrono::steady_clock;

/// Seconds an image that something took, the best time: a shared machine slows some, and speeds none up. Threads may
/// do it at the same time, each to images of its own.
class Best {
public:
    template <class Work>
    void time(int images, const Work& work) {
        const auto start = Clock::now();
        work();
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count() / images;
        const std::atomic_ref best(best_);
        for (double before = best; seconds < before && !best.compare_exchange_weak(before, seconds);) continue;
    }
    bool known() const { return best_ < std::numeric_limits<double>::infinity(); }
    double seconds() const { return known() ? best_ : 0; }

private:
    double best_ = std::numeric_limits<double>::infinity();
};

struct StageTimes {
    Best forward, to_input, to_weights, repack;
    double a_step(int batch) const {
        return forward.seconds() + to_input.seconds() + to_weights.seconds() + repack.seconds() / batch;
    }
};

/// A network's plan whose stages are timed. Stages are plain functions, which is why one such plan is timed at a time.
template <class B>
class TimedPlan {
public:
    TimedPlan(const plan::PlanView<B>& plan, int threads) : plan_(plan), threads_(threads), times_(plan.sites.size()) {
        for (const plan::Site<B>& site : plan.sites) {
            originals_.push_back(site.ops);
            plan::Ops<B> ops = *site.ops;
            ops.forward = &forward;
            ops.backward_data = &to_input;
            if (ops.backward_weights) ops.backward_weights = &to_weights;
            if (ops.repack) ops.repack = &repack;
            timed_.push_back(ops);
        }
        sites_.assign(plan.sites.begin(), plan.sites.end());
        for (std::size_t s = 0; s < sites_.size(); ++s) sites_[s].ops = &timed_[s];
        plan_.sites = sites_;
        current_ = this;
    }
    TimedPlan(const TimedPlan&) = delete;
    TimedPlan& operator=(const TimedPlan&) = delete;

    const plan::PlanView<B>& plan() const { return plan_; }
    const std::vector<StageTimes>& times() const { return times_; }

private:
    static void forward(const plan::AnyCall<B>& call) {
        const std::size_t s = place(call.site);
        current_->times_[s].forward.time(images(call), [&] { current_->originals_[s]->forward(call); });
    }
    static void to_input(const plan::AnyCall<B>& call) {
        const std::size_t s = place(call.site);
        current_->times_[s].to_input.time(images(call), [&] { current_->originals_[s]->backward_data(call); });
    }
    static void to_weights(const plan::AnyCall<B>& call) {
        const std::size_t s = place(call.site);
        current_->times_[s].to_weights.time(images(call), [&] { current_->originals_[s]->backward_weights(call); });
    }
    static void repack(typename B::Context& on, const plan::Site<B>& site, const typename B::Sum* masters,
                       typename B::Activation* packs) {
        const std::size_t s = place(site);
        current_->times_[s].repack.time(1, [&] { current_->originals_[s]->repack(on, site, masters, packs); });
    }
    // Where one thread has a block of images to itself, the others have as many of their own.
    static int images(const plan::AnyCall<B>& call) { return call.images * current_->threads_ / call.on.threads(); }
    static std::size_t place(const plan::Site<B>& site) {
        return static_cast<std::size_t>(&site - current_->sites_.data());
    }

    static inline TimedPlan* current_ = nullptr;
    plan::PlanView<B> plan_;
    int threads_;
    std::vector<const plan::Ops<B>*> originals_;
    std::vector<plan::Ops<B>> timed_;
    std::vector<plan::Site<B>> sites_;
    std::vector<StageTimes> times_;
};

/// Layer and what it makes, such as "conv<32,3,1,1,0> 32x32x32"; what is fused behind it follows.
template <class N, class B>
std::string name_of(const plan::Site<B>& site) {
    const auto node = [](int value) -> const NodePlan& { return N::nodes[static_cast<std::size_t>(value) - 1]; };
    std::string text = node(site.node).layer;
    if (site.out_value != site.node) text += std::string(", ") + node(site.out_value).layer;
    return text + " " + to_string(node(site.node).in_shape) + " to " + to_string(site.out.shape);
}

/// Multiply-adds an image of a convolution or dense layer, borders included, as operations; 0 of any other stage.
template <class B>
double operations(const plan::Site<B>& site) {
    const auto outputs = static_cast<double>(site.out.shape.c);
    if (!site.ops->repack) return 0;
    return 2 * (static_cast<double>(site.canonical_size) - outputs) * site.out.shape.h * site.out.shape.w;
}

struct Asked {
    int threads, batch;
    double seconds;
};

void repeat(double seconds, const auto& work) {
    const auto start = Clock::now();
    do work();
    while (std::chrono::duration<double>(Clock::now() - start).count() < seconds);
}

/// Whole training steps on the first images; returns the best one's seconds an image.
template <class N, class B>
double train(const Splits& data, const Asked& asked, const TimedPlan<B>& timed, Model<N, B>& model) {
    using Operations = typename B::Operations;
    using S = typename Operations::SpaceType;
    using Step = TrainStep<S, CrossEntropy, Unperturbed>;
    auto& on = model.context();
    NetworkInTraining<B, RmsProp> network(on, timed.plan(), model.backend_parameters(),
                                          RmsProp{.learning_rate = 1e-4f, .decay = 1e-5f},
                                          Operations::images_at_a_time(timed.plan(), Step::pass, asked.batch));
    Step one(network, S::share(network.queue(), data.train.store()), {}, {}, true, data.train.counts(), asked.batch);
    std::vector<Pick> picks(static_cast<std::size_t>(asked.batch));
    for (std::size_t i = 0; i < picks.size(); ++i) picks[i].item = data.train.items()[i % data.train.size()];
    Moment moment;
    Best step;
    repeat(asked.seconds, [&] {
        step.time(asked.batch, [&] { one(picks, Seed{7}, moment); });
        ++moment.updates;
        ++moment.epoch;
    });
    if (one.state().failed()) throw Error("the training loss is not finite");
    return step.seconds();
}

/// An attack's gradient at the pixels of the first images.
template <class N, class B>
double attack(const Splits& data, const Asked& asked, const TimedPlan<B>& timed, Model<N, B>& model) {
    using S = typename B::Operations::SpaceType;
    const std::size_t count = std::min<std::size_t>(256, data.test.size());
    std::vector<std::uint32_t> first(count);
    std::iota(first.begin(), first.end(), 0u);
    const TestData some = data.test.of_items(first);
    NetworkView<B> view(model.context(), timed.plan(), model.backend_parameters(), 64);
    skewgrad::attack::TaskMemory<S> memory(view.queue(), view.pixels(), count, Seed{});
    const auto x = some.images();
    const Task<S> task = memory.load(std::span<const float>(x.data(), x.size()), some.labels(), {}, 0);
    skewgrad::attack::Scores<S, CrossEntropy> scores(view, {}, task.count);
    auto dx = S::template make<float>(view.queue(), x.size());
    Best pass;
    repeat(asked.seconds, [&] {
        pass.time(task.count, [&] { view.differentiate(task.x, task.count, {}, scores.visit(task), dx.data()); });
    });
    return pass.seconds();
}

template <class N, class B>
void tell(const std::string& work, const Asked& asked, const TimedPlan<B>& timed, double whole, double peak) {
    const bool trains = work == "training";
    std::vector<TableColumn> columns{{.title = "stage", .align = Align::left}};
    std::vector<const char*> passes{"forward", "to the input"};
    if (trains) passes.push_back("to the weights");
    for (const char* pass : passes) {
        columns.push_back({.title = pass, .decimals = 1});
        columns.push_back({.title = "% of peak", .decimals = 0});
    }
    if (trains) columns.push_back({.title = "repacked", .decimals = 1});
    Table table(columns);
    double sum = 0;
    for (std::size_t s = 0; s < timed.times().size(); ++s) {
        const plan::Site<B>& site = timed.plan().sites[s];
        const StageTimes& times = timed.times()[s];
        std::vector<TableCell> row{name_of<N>(site)};
        const auto add = [&](const Best& best) {
            const bool share = best.known() && operations(site) > 0 && peak > 0;
            row.emplace_back(best.known() ? std::optional(1e6 * best.seconds()) : std::nullopt);
            row.emplace_back(share ? std::optional(100 * operations(site) / best.seconds() / peak) : std::nullopt);
        };
        add(times.forward);
        add(times.to_input);
        if (trains) add(times.to_weights);
        if (trains)
            row.emplace_back(times.repack.known() ? std::optional(1e6 * times.repack.seconds() / asked.batch)
                                                  : std::nullopt);
        table.add(row);
        sum += times.a_step(asked.batch);
    }
    const auto an_image = [](double seconds) { return fixed(1e6 * seconds, 1); };
    std::cout << B::name() << ", " << N::name << " network, " << work
              << (trains ? ", batch " + std::to_string(asked.batch) : std::string()) << ", " << asked.threads
              << (asked.threads == 1 ? " thread" : " threads")
              << ", microseconds an image, the best of many calls; peak " << fixed(peak * 1e-9, 0) << " GF/s\n"
              << to_text(table) << "Stages " << an_image(sum) << ", the whole " << an_image(whole) << ".\n\n";
}

template <class N, class B>
void measure(const Splits& data, const Asked& asked) {
    const typename B::Context on(asked.threads);
    verify::against_reference<N, B>(data.test, on);
    const double peak = peak::of(on);
    Model<N, B> model(Seed{7}, on);
    {
        const TimedPlan<B> timed(Model<N, B>::plan(), asked.threads);
        const double whole = train<N, B>(data, asked, timed, model);
        tell<N, B>("training", asked, timed, whole, peak);
    }
    const TimedPlan<B> timed(Model<N, B>::plan(), asked.threads);
    const double whole = attack<N, B>(data, asked, timed, model);
    tell<N, B>("attack", asked, timed, whole, peak);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Times every stage of a network in a training step and in an attack's gradient"};
    worker::Settings settings;
    std::string network = "paper", backend = "all";
    Asked asked{.threads = 1, .batch = 128, .seconds = 5};
    worker::add_settings(app, settings);
    add_number(app, "--batch", asked.batch, 1, 4096, "Images of a training step");
    add_number(app, "--seconds", asked.seconds, 0.0, 3600.0, "For each work of each backend");
    add_choice(app, "--network", network, {"paper", "wide"}, "The study's, or the same blocks with twice the channels");
    add_choice(app, "--backend", backend, {"all", "cpu-f32", "cpu-bf16"}, "Whose stages");
    return run_main(app, argc, argv, [&] {
        asked.threads = settings.threads;
        const Splits data = worker::images(settings);
        training::for_each_backend([&]<class B>(std::type_identity<B>) {
            training::for_each_network([&]<class N>(std::type_identity<N>) {
                if (N::name == network && (backend == "all" || backend == B::name())) measure<N, B>(data, asked);
            });
        });
    });
}
