// What a study found: one record a training, one a cell, one an image of a cell.
#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include <skewgrad/evaluate/confusion.hpp>
#include <skewgrad/evaluate/outcome.hpp>
#include <skewgrad/evaluate/robustness.hpp>
#include <skewgrad/study/pictures.hpp>
#include <skewgrad/study/plan.hpp>
#include <skewgrad/train/recipe.hpp>

namespace SKEWGRAD_NAMESPACE {

struct TrainingResult {
    History history;
    std::vector<int> counts;           ///< training images a class
    std::vector<std::uint32_t> items;  ///< the index list: which images of the training store
    std::size_t held_out = 0;
    std::vector<Outcome> clean;  ///< on every test image, without attack
    double seconds = 0;          ///< of this training, over all runs that it took; 0 for an adjusted network
};

struct ImageRecord {
    std::uint32_t item = 0;  ///< of the test store
    Outcome clean, attacked;
    double gradient_norm1 = 0;     ///< sum of |dL/dx| over pixels, of the source at the clean image
    bool zero_gradient = false;    ///< all of it is 0
    std::int32_t zero_pixels = 0;  ///< pixels whose gradient is 0
    double smallest_epsilon = std::numeric_limits<double>::quiet_NaN();  ///< that flips; not a number: not measured
    /// Between the source's gradient and the victim's own: their cosine, and the share of pixels whose signs agree.
    /// Not a number where the source is the victim, where a gradient is 0, or where it was not measured.
    double cosine = std::numeric_limits<double>::quiet_NaN();
    double sign_agreement = std::numeric_limits<double>::quiet_NaN();
};

/// The victim's right answers at one epsilon along the attack's direction.
struct SweepPoint {
    float epsilon = 0;
    Ratio accuracy;
};

struct CellResult {
    std::vector<ImageRecord> images;  ///< the attacked class's test images, in order
    std::vector<SweepPoint> sweep;    ///< for the fast attack up the loss, where the study sweeps; else empty

    std::vector<Label> labels(Label attacked_class) const { return std::vector<Label>(images.size(), attacked_class); }
    std::vector<Prediction> before() const {
        std::vector<Prediction> all;
        for (const ImageRecord& i : images) all.push_back(i.clean.said);
        return all;
    }
    std::vector<Prediction> after() const {
        std::vector<Prediction> all;
        for (const ImageRecord& i : images) all.push_back(i.attacked.said);
        return all;
    }
};

struct StudyResults {
    Plan plan;
    std::vector<nlohmann::json> attacks;  ///< description of each attack
    std::vector<std::string> class_names;
    std::vector<Label> test_labels;  ///< of the test images used, in order
    std::vector<std::uint32_t> test_items;
    std::vector<TrainingResult> trainings;  ///< as in the plan; an adjusted network has its training's history
    std::vector<CellResult> cells;          ///< as in the plan
    double seconds = 0;                     ///< over all runs that it took
    std::int64_t began = 0;                 ///< when the first of them did, in seconds of Unix time; 0: unknown
    /// One a class, under the first attack with the first network's own gradient; empty where that was not at hand.
    std::vector<AttackedPicture> pictures;
    nlohmann::json record;  ///< what ran, on what (study/run_record.hpp)

    /// The whole test set's confusion under a cell: the attacked class's images replaced by their adversarial versions.
    Confusion confusion(std::size_t cell) const {
        const PlannedCell& planned = plan.cells[cell];
        const TrainingResult& victim = trainings[planned.victim];
        Confusion all(static_cast<int>(class_names.size()));
        std::size_t attacked = 0;
        for (std::size_t i = 0; i < test_labels.size(); ++i)
            all.add(test_labels[i], test_labels[i] == planned.attacked_class
                                        ? cells[cell].images[attacked++].attacked.said
                                        : victim.clean[i].said);
        return all;
    }
    Confusion clean_confusion(std::size_t training) const {
        return Confusion(static_cast<int>(class_names.size()), test_labels,
                         predictions_of(std::span<const Outcome>(trainings[training].clean)));
    }
};

}  // namespace SKEWGRAD_NAMESPACE
