// A study with every part that a report shows, of noise and class means, in a second; and its report in a folder.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/report/write_report.hpp>
#include <skewgrad/study/paper.hpp>
#include "study/means_learner.hpp"

namespace skewgrad_tests {

/// Of classes: whatever a user's data may be called.
inline const std::vector<std::string> hostile_names{"cat", "<script>alert('x')</script> & \"co\"", "a,b\nc", "dog"};

/// And those of CIFAR-10, beside which the paper's numbers stand.
inline const std::vector<std::string> papers_names{skewgrad::paper::class_names.begin(),
                                                   skewgrad::paper::class_names.end()};

inline std::shared_ptr<const skewgrad::ImageStore> noisy_store(const std::string& name, std::size_t a_class,
                                                               std::uint64_t seed,
                                                               const std::vector<std::string>& names = hostile_names) {
    constexpr std::size_t pixels = 3 * 6 * 6;
    const std::size_t classes = names.size();
    std::vector<std::uint8_t> bytes(classes * a_class * pixels);
    std::vector<skewgrad::Label> labels;
    for (std::size_t n = 0; n < classes * a_class; ++n) {
        labels.push_back(skewgrad::Label(n % classes));
        const skewgrad::Stream stream{
            .seed = skewgrad::Seed{seed}, .purpose = skewgrad::Purpose::noise, .item = static_cast<std::uint32_t>(n)};
        for (std::size_t i = 0; i < pixels; ++i)
            bytes[n * pixels + i] =
                static_cast<std::uint8_t>((i % classes == n % classes ? 85 : 50) +
                                          skewgrad::draw_word(stream, static_cast<std::uint32_t>(i)) % 120);
    }
    return skewgrad::make_store(name, {3, 6, 6}, std::move(bytes), std::move(labels), names);
}

/// The paper's attacks and kinds of networks; `all_parts`: with every kind's gradient on every kind, and with classes
/// cut to further counts.
template <int Classes = 4>
skewgrad::StudyResults small_results(int seeds, bool all_parts = false,
                                     const std::vector<std::string>& names = hostile_names) {
    using namespace skewgrad;
    struct AnyNet : Network<Image<3, 6, 6>, Dense<Classes>> {};
    const auto paper = paper_study<AsWritten, Cpu<f32>, AnyNet>(
        AsWritten{}, {.per_class = 24, .held_out = 4, .ratio = 5},
        {.epsilon = 0.04f, .seeds = seeds, .dose = all_parts, .transfer = all_parts});
    Study<MeansLearner, study::WithControls<AsWritten::Samplers>::type, From<SameModel, DifferentModel, SharedSeed>,
          PaperAttacks>
        study{.learner = {},
              .samplers = paper.samplers,
              .attacks = paper.attacks,
              .data_protocol = paper.data_protocol,
              .classes = paper.classes,
              .seeds = paper.seeds,
              .sweep = {0, 1 / 255.0f, 8 / 255.0f, 16 / 255.0f},
              .adjust_logits = false,
              .transfer = paper.transfer,
              .left_out = paper.left_out};
    StudyResults results = study.run({TrainingData(noisy_store("noise train", 24, 3, names)),
                                      TestData(noisy_store("noise test", Classes == 4 ? 120 : 70, 4, names))});
    results.record["configuration"] = {{"data", "noise train"}, {"protocol", "as <written>"}};
    results.record["compiler"] = "a & b";
    return results;
}

/// Judged with few draws of the interval that decides nothing.
inline skewgrad::report::Judgement judged(const skewgrad::StudyResults& results) {
    return skewgrad::report::judge_study(results, {}, skewgrad::CrossedOptions{.draws = 5});
}

}  // namespace skewgrad_tests
