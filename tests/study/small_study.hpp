// A study that takes milliseconds and has every part: one class, controls, adjusted logits, sweeps; one thread.
#pragma once
#include <filesystem>
#include <map>
#include <string>

#include <skewgrad/store/whole_file.hpp>
#include <skewgrad/study/study.hpp>
#include "train/small.hpp"

namespace skewgrad_tests {

using SmallLearner = skewgrad::NetworkLearner<SmallNet, skewgrad::Cpu<skewgrad::f32>, skewgrad::RmsProp>;

template <class L>
using SmallStudy =
    skewgrad::Study<L,
                    skewgrad::On<skewgrad::Sampler<skewgrad::Balanced>, skewgrad::Sampler<skewgrad::Under>,
                                 skewgrad::Sampler<skewgrad::Sham>>,
                    skewgrad::From<skewgrad::SameModel, skewgrad::DifferentModel, skewgrad::SharedSeed>,
                    skewgrad::By<skewgrad::Attack<skewgrad::FGSM>, skewgrad::Attack<skewgrad::RandomSign>,
                                 skewgrad::AsSelfCheck<skewgrad::Attack<skewgrad::Iterative>>>>;

template <class L = SmallLearner>
SmallStudy<L> small_study(L learner = {.optimiser = {.learning_rate = 1e-2f},
                                       .recipe = {.batch = 8, .rounds = 2},
                                       .context = one_thread}) {
    return {.learner = learner,
            .samplers = {{}, {.count = 2}, {}},
            .attacks = {{.epsilon = .1f}, {.epsilon = .1f}, {{.epsilon = .2f, .steps = 2}}},
            .data_protocol = {.per_class = 2},
            .classes = {skewgrad::Label{2}},
            .seeds = {skewgrad::Seed{1}},
            .sweep = {0, .1f},
            .adjust_logits = true};
}

inline const skewgrad::Splits& small_data() {
    static const skewgrad::Splits data{skewgrad::TrainingData(small_store()), skewgrad::TestData(small_store(22))};
    return data;
}

/// Every file of a run that is no log, by its place in the folder.
inline std::map<std::string, std::string> results_in(const std::filesystem::path& folder) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
        const std::string name = std::filesystem::relative(entry.path(), folder).string();
        if (entry.is_regular_file() && !name.starts_with("log/")) files[name] = skewgrad::read_whole_text(entry.path());
    }
    return files;
}

}  // namespace skewgrad_tests
