// Checks of a study against its data before the first training: classes, images, and each training set.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/sampling/population.hpp>
#include <skewgrad/study/data_protocol.hpp>
#include <skewgrad/study/plan.hpp>

namespace SKEWGRAD_NAMESPACE::study {

/// Throws ValueError unless training and test images have the same classes and the same shape.
inline void check_splits(const Splits& data) {
    const auto& train = data.train.class_names();
    const auto& test = data.test.class_names();
    const std::string both = data.train.name() + " and " + data.test.name() + ": ";
    if (train.size() != test.size())
        throw ValueError(both + "the training data have " + std::to_string(train.size()) + " classes, the test data " +
                         std::to_string(test.size()));
    for (std::size_t c = 0; c < train.size(); ++c)
        if (train[c] != test[c])
            throw ValueError(both + "class " + std::to_string(c) + " is \"" + train[c] + "\" in the training data, \"" +
                             test[c] + "\" in the test data");
    if (data.train.shape() != data.test.shape())
        throw ValueError(both + "training images are " + to_string(data.train.shape()) + ", test images " +
                         to_string(data.test.shape()));
}

/// Throws ValueError, naming the class, if the plan attacks a class that the data lack or that has no test images, or
/// if any class has fewer than `per_class` test images.
inline void check_attacked_classes(const Plan& plan, const TestData& test, int per_class) {
    const std::vector<int> counts = test.counts();
    const Population classes{.labels = {}, .class_names = test.class_names()};
    const auto named = [&](std::size_t c) { return classes.named(static_cast<int>(c)); };
    for (const PlannedCell& cell : plan.cells) {
        const auto c = static_cast<std::size_t>(index(cell.attacked_class));
        if (c >= counts.size())
            throw ValueError("Study::classes: there is no class " + std::to_string(c) + ", " + test.name() +
                             " has 0 to " + std::to_string(counts.size() - 1));
        if (counts[c] == 0) throw ValueError(test.name() + ": " + named(c) + " has no test images to attack");
    }
    if (per_class < 0)
        throw ValueError("Study::test_images_per_class is " + std::to_string(per_class) + ", it must be at least 0");
    for (std::size_t c = 0; c < counts.size(); ++c)
        if (counts[c] < per_class)
            throw ValueError("Study::test_images_per_class is " + std::to_string(per_class) + ", but " + named(c) +
                             " of " + test.name() + " has " + std::to_string(counts[c]));
}

/// Throws ValueError, naming the training, if it would have no images of a class. `data`: its training set.
inline void check_training_data(const PlannedTraining& t, const TrainingSet& data) {
    const auto& names = data.fit.class_names();
    const std::vector<int> counts = data.fit.counts();
    for (std::size_t c = 0; c < counts.size(); ++c)
        if (counts[c] == 0)
            throw ValueError(title_of(t, names) + ": " +
                             Population{.labels = {}, .class_names = names}.named(static_cast<int>(c)) +
                             " has no training images");
}

}  // namespace SKEWGRAD_NAMESPACE::study
