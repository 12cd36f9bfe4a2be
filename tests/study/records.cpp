// Records that a run's folder cannot have come to: sound files with right digests and keys, refused with file and
// place.
#define BOOST_TEST_MODULE study_records
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <skewgrad/study/run_status.hpp>
#include "data/files.hpp"
#include "store/temporary_folder.hpp"
#include "study/means_learner.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;
namespace fs = std::filesystem;

namespace {

StudyResults run_in(const fs::path& folder) {
    RunFolder run(folder);
    return small_study<MeansLearner>({}).run(small_data(), run);
}

/// A finished run, and the names of a training's record and of a file of cells in it.
struct Run {
    TemporaryFolder place;
    fs::path folder = place / "run";
    std::map<std::string, std::string> files;
    std::string record, cells;

    Run() {
        run_in(folder);
        files = results_in(folder);
        for (const auto& [name, bytes] : files) {
            if (name.ends_with("record.safetensors")) record = name;
            if (name.starts_with("cells/") && name.find("from-balanced") != std::string::npos) cells = name;
        }
        BOOST_REQUIRE((!record.empty() && !cells.empty()));
    }
    /// The run with one file changed behind a right digest is refused with these words and the file's name.
    void refused(const std::string& name, const std::function<void(TensorFile&)>& change,
                 std::initializer_list<std::string> words) {
        TensorFile file = read_safetensors(folder / name);
        change(file);
        write_safetensors(folder / name, file);
        refused(name, words);
    }
    void refused_json(const std::string& name, const std::function<void(nlohmann::json&)>& change,
                      std::initializer_list<std::string> words, bool status = true) {
        nlohmann::json json = read_json(folder / name);
        change(json);
        write_json(folder / name, json);
        if (status) BOOST_CHECK_EXCEPTION(read_status(folder), FileError, says(words));
        if (name == "run.json") refused(name, words);
        write_whole_file(folder / name, files.at(name));
    }
    void refused(const std::string& name, std::initializer_list<std::string> words) {
        BOOST_TEST_CONTEXT(name) {
            BOOST_CHECK_EXCEPTION(run_in(folder), FileError, says({(folder / name).string()}));
            BOOST_CHECK_EXCEPTION(run_in(folder), FileError, says(words));
        }
        write_whole_file(folder / name, files.at(name));
    }
};

template <class T>
auto with(const std::string& name, std::size_t at, T value) {
    return [=](TensorFile& file) {
        for (Tensor& t : file.tensors)
            if (t.name == name) {
                std::vector<T> values(t.values<T>().begin(), t.values<T>().end());
                values.at(at) = value;
                t = make_tensor<T>(name, t.shape, values);
                return;
            }
        BOOST_FAIL("no tensor " + name);
    };
}
/// Every list of the file that has as many values as `like`, one shorter.
auto shorter(const std::string& like) {
    return [=](TensorFile& file) {
        const std::int64_t size = file.at(like).shape.at(0);
        for (Tensor& t : file.tensors)
            if (t.shape.size() == 1 && t.shape[0] == size) {
                t.bytes.resize(t.bytes.size() - bytes_of(t.dtype));
                --t.shape[0];
            }
    };
}

constexpr float nan32 = std::numeric_limits<float>::quiet_NaN();

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_trainings_record_agrees_with_data_and_plan, Run) {
    refused(record, shorter("clean.predicted"), {"clean.predicted", "expected"});
    refused(record, with<std::uint32_t>("items", 3, 4'000'000), {"items", "value 3 is 4000000", "training images"});
    refused(record, with<std::int32_t>("counts", 1, 9'999), {"counts", "value 1 is 9999", "number of items"});
    refused(record, with<std::int32_t>("counts", 0, -1), {"counts", "value 0 is -1"});
    refused(record, shorter("counts"), {"counts"});
    refused(record, with<std::uint64_t>("validation_images", 0, std::uint64_t{1} << 60),
            {"validation_images", "must be at most"});
    refused(record, with<std::uint16_t>("clean.predicted", 5, 4), {"clean.predicted", "value 5 is 4", "below 4"});
    refused(record, with<std::uint16_t>("clean.predicted", 0, 65534), {"clean.predicted"});
    refused(record, with<float>("clean.loss", 2, -1), {"clean.loss", "value 2"});
    refused(record, with<float>("clean.confidence", 2, 1.5f), {"clean.confidence", "value 2"});
    refused(record, with<float>("clean.margin", 2, nan32), {"clean.margin", "value 2"});
    refused(record, [](TensorFile& file) { file.tensors.push_back(make_tensor<float>("more", {1}, std::array{1.0f})); },
            {"besides \"more\""});

    TensorFile unanswered = read_safetensors(folder / record);  // that can be
    with<std::uint16_t>("clean.predicted", 5, 0xffff)(unanswered);
    write_safetensors(folder / record, unanswered);
    BOOST_CHECK_NO_THROW(run_in(folder));
}

BOOST_FIXTURE_TEST_CASE(a_trainings_history_is_one, Run) {
    const auto history = [&](const std::function<void(nlohmann::json&)>& change, const std::string& words) {
        refused(record,
                [&](TensorFile& file) {
                    nlohmann::json j = nlohmann::json::parse(file.note("skewgrad.history"));
                    change(j);
                    file.metadata["skewgrad.history"] = j.dump();
                },
                {"skewgrad.history", words});
    };
    history([](auto& j) { j["best_round"] = 2; }, "best_round is 2, must be a whole number from 0 to 1");
    history([](auto& j) { j["best_round"] = 1e300; }, "best_round is 1e+300");
    history([](auto& j) { j["best_round"] = -1; }, "best_round is -1");
    history([](auto& j) { j["stop"] = 3; }, "stop is 3, must be a whole number from 0 to 2");
    history([](auto& j) { j["rounds"][0]["updates"] = -1; }, "rounds.0.updates is -1");
    history([](auto& j) { j["rounds"][0]["epoch"] = 1.5; }, "rounds.0.epoch is 1.5");
    history([](auto& j) { j["rounds"][0]["validation_accuracy"] = 2; }, "rounds.0.validation_accuracy is 2");
    history([](auto& j) { j["rounds"] = nlohmann::json::object(); }, "rounds is {}, must be a list");
    history([](auto& j) { j.erase("best_loss"); }, "no \"best_loss\"");
    history([](auto& j) { j = 7; }, "is 7, must be an object");
    refused(record, [&](TensorFile& file) { file.metadata["skewgrad.history"] = std::string(100'000, '['); },
            {"nested more than 64 deep"});
}

BOOST_FIXTURE_TEST_CASE(a_file_of_cells_agrees_with_the_images_of_its_class, Run) {
    refused(cells, shorter("item"), {"item", "expected"});  // once written past a vector's end
    refused(cells, with<std::uint32_t>("item", 1, 0), {"item", "value 1 is 0", "in their order"});
    refused(cells, with<std::int32_t>("zero_pixels", 0, -1), {"zero_pixels", "value 0 is -1"});
    refused(cells, with<std::int32_t>("zero_pixels", 0, 1'000'000), {"zero_pixels", "value 0 is 1000000"});
    refused(cells, with<std::uint8_t>("zero_gradient", 0, 2), {"zero_gradient", "value 0 is 2"});
    refused(cells, with<double>("gradient_norm1", 0, -1.0), {"gradient_norm1"});
    refused(cells, with<std::uint16_t>("cell0.attacked.predicted", 1, 4), {"cell0.attacked.predicted", "value 1 is 4"});
    refused(cells, with<double>("cell0.smallest_epsilon", 1, -1.0), {"cell0.smallest_epsilon"});
    refused(cells, with<double>("cell0.cosine", 1, 1.5), {"cell0.cosine"});
    refused(cells, with<double>("cell0.sign_agreement", 1, -0.5), {"cell0.sign_agreement"});
    refused(cells, with<float>("cell0.sweep.epsilon", 1, 0.5f), {"cell0.sweep.epsilon", "value 1", "the study's"});
    refused(cells, with<std::int64_t>("cell0.sweep.hits", 1, 1'000), {"cell0.sweep.hits", "value 1 is 1000"});
    refused(cells, with<std::int64_t>("cell0.sweep.hits", 0, -1), {"cell0.sweep.hits"});
    refused(cells, shorter("cell0.sweep.hits"), {"cell0.sweep.epsilon", "expected 2"});
    refused(cells, [](TensorFile& file) { std::erase_if(file.tensors, [](auto& t) { return t.name == "item"; }); },
            {"no tensor \"item\""});
    BOOST_CHECK_NO_THROW(run_in(folder));
}

BOOST_FIXTURE_TEST_CASE(what_a_folder_says_of_itself_is_checked_before_it_is_believed, Run) {
    refused_json("run.json", [](auto& j) { j.erase("class_names"); }, {"run.json", "no \"class_names\""});
    refused_json("run.json", [](auto& j) { j["class_names"] = 7; }, {"class_names is 7, must be a list"});
    refused_json("run.json", [](auto& j) { j["format"] = 1e300; }, {"format is 1e+300"});
    refused_json("run.json", [](auto& j) { j["format"] = 77; }, {"format 77"});
    refused_json("run.json", [](auto& j) { j["configuration_digest"] = "0"; }, {"configuration_digest is \"0\""});
    refused_json("run.json", [](auto& j) { j["class_names"][1] = nullptr; }, {"class_names.1 is null"});
    refused_json("plan.json", [](auto& j) { j["groups"][0]["cells"] = -1; }, {"plan.json", "groups.0.cells is -1"});
    refused_json("plan.json", [](auto& j) { j["groups"][0]["cells"] = 1e300; }, {"groups.0.cells is 1e+300"});
    refused_json("plan.json", [](auto& j) { j["trainings"][1]["name"] = "../../x"; },
                 {"trainings.1.name", "file's name"});
    refused_json("plan.json", [](auto& j) { j["trainings"][1].erase("title"); }, {"trainings.1 has no \"title\""});
    refused_json("plan.json", [](auto& j) { j["left_out"] = "x"; }, {"left_out is \"x\", must be a list"});
    for (const char* name : {"run.json", "plan.json"}) {
        write_whole_file(folder / name, "{\"digest\": \"0\", \"a\": " + std::string(100'000, '[') + "}");
        BOOST_CHECK_EXCEPTION(read_status(folder), FileError, says({name, "nested more than 64 deep"}));
        refused(name, {"nested more than 64 deep"});
    }
    BOOST_CHECK_NO_THROW(run_in(folder));
}

BOOST_FIXTURE_TEST_CASE(a_log_that_cannot_be_believed_is_forgotten, Run) {
    const fs::path logs = folder / "log" / "processes";
    const double before = run_in(folder).seconds;
    const nlohmann::json sound = nlohmann::json::parse(read_whole_text(entries_of(logs).front()));
    const fs::path other = logs / "other.json";
    const auto changed = [&](const char* entry, const char* value) {
        nlohmann::json j = sound;
        j["seconds"] = {{"train/x", 1e6}};
        j["began"] = 1;
        j[entry] = nlohmann::json::parse(value);
        return j.dump();
    };
    for (const std::string& text :
         {changed("began", "1e300"), changed("began", "-5"), changed("seconds", R"({"x": -1, "y": 1e6})"),
          changed("seconds", "[1]"), changed("work", "{}"), changed("process", "0"), std::string("[[[["),
          std::string("\"\xe9\"")}) {
        write_whole_file(other, text);
        const StudyResults results = run_in(folder);
        BOOST_TEST_CONTEXT(text) BOOST_TEST((results.began > 1 && results.seconds == before));
    }
    write_whole_file(other, changed("ended", "true"));
    const StudyResults results = run_in(folder);
    BOOST_TEST((results.began == 1 && std::abs(results.seconds - before - 1e6) < 1e-3));
    fs::remove(other);
    BOOST_REQUIRE(::mkfifo(other.c_str(), 0600) == 0);
    ::alarm(60);
    BOOST_CHECK_NO_THROW(run_in(folder));
    ::alarm(0);
}

BOOST_FIXTURE_TEST_CASE(a_log_that_cannot_be_written_costs_nothing, Run) {
    const TemporaryFolder other;
    fs::create_directories(other / "run/log");
    write_whole_file(other / "run/log/processes", "");  // in the way of the folders
    write_whole_file(other / "run/log/claims", "");
    BOOST_CHECK_NO_THROW(run_in(other / "run"));
    BOOST_TEST((results_in(other / "run") == files));
}

BOOST_FIXTURE_TEST_CASE(a_pipe_in_place_of_run_json_is_refused, Run) {
    fs::remove(folder / "run.json");
    BOOST_REQUIRE(::mkfifo((folder / "run.json").c_str(), 0600) == 0);
    ::alarm(60);  // ends the process, should it wait
    BOOST_CHECK_EXCEPTION(read_status(folder), FileError, says({"run.json", "no regular file"}));
    BOOST_CHECK_EXCEPTION(run_in(folder), FileError, says({"run.json", "no regular file"}));
    ::alarm(0);
}

BOOST_FIXTURE_TEST_CASE(a_name_that_no_path_can_hold_is_an_error_of_ours, Run) {
    BOOST_CHECK_THROW(read_status(folder / std::string(5000, 'x')), FileError);
    BOOST_CHECK_THROW(RunFolder(folder / std::string(5000, 'x')), FileError);
    BOOST_CHECK_THROW(RunFolder(folder / "run.json" / "below"), FileError);
}
