// The paper's study without its trainings: the plan of the protocol "as written", and records that are draws.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/core/random.hpp>
#include <skewgrad/study.hpp>

namespace generated {

using namespace skewgrad;

struct Size {
    int seeds = 6;
    int test_images = 1000;  ///< a class
};

/// Black images under CIFAR-10's names: a report looks at none of them, but they are in memory as in a study.
inline std::shared_ptr<const ImageStore> images(const std::string& name, int a_class) {
    constexpr Shape shape{3, 32, 32};
    std::vector<Label> labels;
    for (int n = 0; n < 10 * a_class; ++n) labels.push_back(Label(n % 10));
    std::vector<std::uint8_t> bytes(labels.size() * static_cast<std::size_t>(shape.size()));
    return make_store(name, shape, std::move(bytes), std::move(labels),
                      {paper::class_names.begin(), paper::class_names.end()});
}

/// Uniform in (0, 1): a function of what it is for.
inline double uniform(std::uint64_t what, std::size_t image, std::uint16_t number) {
    const Words w = draw(
        {.seed = Seed{what}, .purpose = Purpose::noise, .node = number, .item = static_cast<std::uint32_t>(image)}, 0);
    return (w[0] + 0.5) / 4294967296.0;
}

/// An outcome that is right with the given chance.
inline Outcome outcome(std::uint64_t what, std::size_t image, Label y, double right) {
    const double u = uniform(what, image, 0), margin = 4 * (right - u);
    Outcome o;
    o.predicted = Prediction(u < right ? index(y) : (index(y) + 1 + static_cast<int>(u * 1e6) % 9) % 10);
    o.margin = static_cast<float>(margin);
    o.loss = static_cast<float>(std::log1p(std::exp(-margin)));
    o.confidence = static_cast<float>(1 / (1 + std::exp(-std::abs(margin))));
    return o;
}

/// The study as it is while it runs: plan, data, and a folder that its records are in or go to.
class GeneratedStudy {
public:
    StudyResults results;
    RunFolder folder;

    GeneratedStudy(const std::filesystem::path& path, Size size)
        : folder(path),
          data_{TrainingData(images("CIFAR-10 train", 5000)), TestData(images("CIFAR-10 test", size.test_images))},
          composed_(paper_study(AsWritten{}, {}, {.seeds = size.seeds})),
          study_(composed_.erased_study()) {
        results.plan = study_.plan();
        results.class_names = data_.test.class_names();
        results.test_labels = data_.test.labels();
        results.test_items = data_.test.items();
        results.trainings.resize(results.plan.trainings.size());
        results.cells.resize(results.plan.cells.size());
        results.record["configuration"] = {{"data", "CIFAR-10 train"}, {"protocol", "generated"}};
        groups_ = results.plan.groups();
        folder.begin(results, study_.configuration(), {{"runs_on", "nothing"}},
                     {.training = data_.train.store(), .sweep = study_.along.sweep});
    }
    const std::vector<CellGroup>& groups() const { return groups_; }

    /// Writes all records into the folder.
    void write() {
        for (std::size_t t = 0; t < results.trainings.size(); ++t) folder.keep_training(t, training(t));
        for (std::size_t g = 0; g < groups_.size(); ++g) folder.keep_group(g, cells(groups_[g]));
    }
    /// Reads each file of cells once, as a run does that is continued. The trainings must be there.
    void read_cells() {
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            const CellGroup& group = groups_[g];
            const auto images = std::ranges::count(results.test_labels, group.attacked_class);
            results.cells.read_from(group.cells, static_cast<std::size_t>(images),
                                    folder.reader_of(g, results.trainings[group.victim].clean));
            (void)results.cells[group.cells.front()];
        }
    }

private:
    using Composed = decltype(paper_study<AsWritten, Cpu<f32>>(AsWritten{}, PaperScale{}, PaperParts{}));
    static Composed paper_study(const AsWritten& protocol, const PaperScale& scale, const PaperParts& parts) {
        return skewgrad::paper_study<AsWritten, Cpu<f32>>(protocol, scale, parts);
    }

    /// The chance that a network is right on a class without attack: fewer images, fewer right.
    double clean_chance(std::size_t t, Label y) const {
        const PlannedTraining& planned = results.plan.trainings[t];
        const bool few = planned.sampler == 1 || planned.sampler == 3, own = planned.skewed == y;
        return planned.sampler == 1 ? (own ? 0.45 : 0.8) : planned.sampler == 2 && !own ? 0.5 : few ? 0.55 : 0.78;
    }
    TrainingResult training(std::size_t t) const {
        const PlannedTraining& planned = results.plan.trainings[t];
        TrainingResult result;
        const std::size_t trained = planned.adjusts.value_or(t);
        const TrainingSet set = study_.training_set(results.plan.trainings[trained], data_);
        result.counts = set.fit.counts();
        result.items = set.fit.items();
        result.validation_images = set.validation.size();
        for (int round = 1; round <= 40; ++round) {
            const double loss =
                1 + std::abs(round - 30) * 0.02 + uniform(trained, 0, static_cast<std::uint16_t>(round)) / 50;
            result.history.rounds.push_back({.round = round,
                                             .updates = static_cast<std::uint64_t>(round) * 1406,
                                             .epoch = static_cast<std::uint32_t>(round - 1),
                                             .train_loss = loss,
                                             .train_accuracy = 0.7,
                                             .validation_loss = loss,
                                             .validation_accuracy = 0.7});
        }
        result.history.best_round = 30;
        result.history.best_loss = result.history.rounds[29].validation_loss;
        result.history.stop = Stop::patience;
        result.clean = clean(t);
        return result;
    }
    std::vector<Outcome> clean(std::size_t t) const {
        std::vector<Outcome> all;
        for (std::size_t i = 0; i < results.test_labels.size(); ++i)
            all.push_back(outcome(1000 + t, i, results.test_labels[i], clean_chance(t, results.test_labels[i])));
        return all;
    }
    std::vector<CellResult> cells(const CellGroup& group) const {
        std::vector<ImageRecord> shared;
        for (std::size_t i = 0; i < results.test_labels.size(); ++i) {
            if (results.test_labels[i] != group.attacked_class) continue;
            ImageRecord r;
            r.item = results.test_items[i];
            r.gradient_norm1 = std::exp(2 * uniform(group.source, i, 1));
            r.zero_pixels = static_cast<std::int32_t>(100 * uniform(group.source, i, 2));
            shared.push_back(r);
        }
        std::vector<CellResult> all;
        for (const std::size_t i : group.cells) all.push_back(cell(i, shared));
        return all;
    }
    CellResult cell(std::size_t i, const std::vector<ImageRecord>& shared) const {
        const PlannedCell& planned = results.plan.cells[i];
        const bool fast = planned.attack == 0, own = planned.source == planned.victim;
        const bool noise = planned.attack == 1 || (planned.attack >= 3 && planned.attack <= 8);
        const double chance = clean_chance(planned.victim, planned.attacked_class);
        const double left = planned.attack == 11 ? 0 : noise ? 0.97 * chance : chance * (own ? 0.45 : 0.7) * chance;
        CellResult cell{shared, {}};
        const std::uint64_t what = 1'000'000 + 1000 * planned.victim + planned.attack + (own ? 0 : 500);
        for (ImageRecord& r : cell.images) {
            r.attacked = outcome(what, r.item, planned.attacked_class, left);
            if (!fast) continue;
            r.smallest_epsilon = 0.02 * uniform(what, r.item, 3);
            if (own) continue;
            r.cosine = 0.5 * uniform(what, r.item, 4);
            r.sign_agreement = 0.5 + 0.2 * uniform(what, r.item, 5);
        }
        const auto images = static_cast<std::int64_t>(cell.images.size());
        if (fast)
            for (const float epsilon : study_.along.sweep)
                cell.sweep.push_back(
                    {epsilon,
                     {static_cast<std::int64_t>(static_cast<double>(images) * chance / (1 + 100 * epsilon)), images}});
        return cell;
    }

    Splits data_;
    Composed composed_;
    study::ErasedStudy study_;
    std::vector<CellGroup> groups_;
};

}  // namespace generated
