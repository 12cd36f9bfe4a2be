// The study of the fuzzers of a run's files, its folder and its report.
#include "fuzz/small_run.hpp"

#include <skewgrad/report/write_report.hpp>
#include <skewgrad/study/study.hpp>
#include "fuzz/own_file.hpp"
#include "study/means_learner.hpp"

namespace skewgrad_fuzz {

namespace {

/// The nearest class mean; the network of three images of a class cannot be had.
struct FailingLearner {
    using ModelType = MeansModel;

    skewgrad::Learned<MeansModel> train(const skewgrad::TrainingSet& data, skewgrad::Seed seed,
                                        const skewgrad::TrainingObserver& observer) const {
        if (data.fit.counts()[1] == 3) throw skewgrad::NumericalError("the training loss is not finite");
        return MeansLearner{}.train(data, seed, observer);
    }
    nlohmann::json json() const { return {{"name", "class means"}}; }
};

}  // namespace

skewgrad::Splits small_data(const std::vector<std::string>& class_names) {
    std::vector<std::uint8_t> bytes;
    std::vector<skewgrad::Label> labels;
    for (int n = 0; n < 20; ++n) {
        labels.push_back(skewgrad::Label(n % 4));
        for (int pixel = 0; pixel < 4; ++pixel)
            bytes.push_back(static_cast<std::uint8_t>((pixel == n % 4 ? 120 : 80) + (n * 37 + pixel * 11) % 60));
    }
    const auto store = skewgrad::make_store("small", {1, 2, 2}, std::move(bytes), std::move(labels), class_names);
    return {skewgrad::TrainingData(store), skewgrad::TestData(store)};
}
skewgrad::StudyResults run_in(const std::filesystem::path& folder, const skewgrad::Splits& data) {
    using namespace skewgrad;
    const Study<FailingLearner, On<Sampler<Balanced>, std::vector<Sampler<Under>>>, From<SameModel, DifferentModel>,
                By<Attack<FGSM>, Attack<RandomSign>>>
        study{.learner = {},
              .samplers = {{}, {{.count = 2}, {.count = 3}}},
              .attacks = {{.epsilon = .1f}, {.epsilon = .1f}},
              .data_protocol = {.per_class = 1},
              .classes = {Label{1}},
              .seeds = {Seed{1}},
              .sweep = {0, .1f}};
    RunFolder run(folder);
    return study.run(data, run);
}

void report(const skewgrad::StudyResults& results, const std::filesystem::path& folder) {
    const skewgrad::CrossedOptions few{.draws = 2};
    skewgrad::report::write_report(results, skewgrad::report::judge_study(results, {}, few), folder);
}

const std::map<std::string, std::string>& run_files() {
    static const std::map<std::string, std::string> files = [] {
        const auto folder = own_file("made");
        run_in(folder);
        std::map<std::string, std::string> found;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
            const std::string name = std::filesystem::relative(entry.path(), folder).string();
            if (entry.is_regular_file()) found[name] = skewgrad::read_whole_text(entry.path());
        }
        return found;
    }();
    return files;
}

std::filesystem::path restored_run() {
    const auto folder = own_file("run");
    std::filesystem::remove_all(folder);
    for (const auto& [name, bytes] : run_files()) {
        std::filesystem::create_directories((folder / name).parent_path());
        skewgrad::write_whole_file(folder / name, bytes);
    }
    return folder;
}

std::vector<std::string> run_files_named(const std::string& begin, const std::string& end) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : run_files())
        if (name.starts_with(begin) && name.ends_with(end)) names.push_back(name);
    return names;
}

}  // namespace skewgrad_fuzz
