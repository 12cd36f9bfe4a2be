// links: report command_line
// Peak memory and seconds of the report of a study at full size, from a run's folder of generated records.
#include <chrono>
#include <filesystem>
#include <string>

#include <skewgrad/report.hpp>

#include "../worker.hpp"
#include "generated_study.hpp"

using namespace skewgrad;

int main(int argc, char** argv) {
    CLI::App app{"Peak memory and seconds of the report of the paper's study, from generated records"};
    std::filesystem::path run, out;
    generated::Size size;
    int draws = CrossedOptions{}.draws, cache = 0;
    bool generate = false;
    app.add_option("--run", run, "The run's folder")->required();
    app.add_option("--out", out, "Folder of the report; without it, FOLDER/report");
    app.add_flag("--generate", generate, "Write the records, 45 MB a seed at full size, and do nothing else");
    add_number(app, "--seeds", size.seeds, 1, 1000, "Blocks of networks");
    add_number(app, "--test-images", size.test_images, 1, 1000, "Test images of each class");
    add_number(app, "--cache", cache, 1, 1'000'000, "MiB of the cache of cells; default: the library's");
    add_number(app, "--draws", draws, 2, 1'000'000, "Draws of each bootstrap");
    return run_main(app, argc, argv, [&] {
        auto since = std::chrono::steady_clock::now();
        const auto say = [&](const std::string& stage) {
            const auto now = std::chrono::steady_clock::now();
            worker::say({{"stage", stage},
                         {"seconds", std::chrono::duration<double>(now - since).count()},
                         {"processor_seconds", worker::processor_seconds()},
                         {"peak_mib", worker::peak_mebibytes()}});
            since = now;
        };
        generated::GeneratedStudy study(run, size);
        StudyResults& results = study.results;
        worker::say({{"networks", results.trainings.size()},
                     {"cells", results.cells.size()},
                     {"groups", study.groups().size()},
                     {"images", size.test_images}});
        say("plan and data");
        if (generate) {
            study.write();
            return say("records written");
        }
        for (std::size_t t = 0; t < results.trainings.size(); ++t)
            results.trainings[t] = study.folder.training(t, results);
        say("trainings read");
        if (cache > 0) results.cells.keep_at_most(static_cast<std::size_t>(cache) << 20);
        study.read_cells();
        say("cells read");
        const report::Judgement judged = report::judge_study(results, {}, CrossedOptions{.draws = draws});
        say("claims judged");
        std::size_t characters = 0;
        for (const auto& [title, table] : report::all_tables_and_claims(results, judged))
            characters += to_text(table).size();
        say("tables as text, " + std::to_string(characters) + " characters");
        report::write_report(results, judged, out.empty() ? run / "report" : out, {.command = "none", .date = "today"});
        say("report written");
    });
}
