// The options of the paper's study: protocol, scale, seeds, optional parts.
#pragma once
#include <CLI/CLI.hpp>
#include <string>

#include <skewgrad/command_line/options.hpp>
#include <skewgrad/study/paper.hpp>

namespace SKEWGRAD_NAMESPACE {

struct PaperOptions {
    std::string protocol = "as-written", under = "inferred";
    PaperScale scale;
    PaperParts parts;

    /// Throws ValueError for a scale by which no network would ever be done.
    void check() const {
        if (scale.held_out == 0 && !looks_given)
            throw ValueError("--held-out 0 leaves nothing to stop by: it needs --looks N");
    }
    AsRun as_run() const { return {.under = under == "committed" ? AsRunUnder::committed : AsRunUnder::inferred}; }
    bool looks_given = false;
};

/// `options` must outlive the parsing.
inline void add_paper(CLI::App& app, PaperOptions& options) {
    add_choice(app, "--protocol", options.protocol, {"as-written", "as-run"}, "The paper's words, or its code");
    add_choice(app, "--as-run-under", options.under, {"inferred", "committed"}, "What stopped 'under' as run");
    add_number(app, "--looks", options.scale.looks, 1, 200, "Looks at most")->each([&options](const std::string&) {
        options.looks_given = true;
    });
    add_number(app, "--held-out", options.scale.held_out, 0, 4000, "As written: images a class held out");
    add_number(app, "--seeds", options.parts.seeds, 1, 1000, "Blocks of networks: seeds --seed, --seed + 1, ...");
    const auto flag = [&](const char* name, bool& target, const char* description) {
        app.add_flag(name, target, description)->group("Further networks and cells");
    };
    flag("--size-matched", options.parts.size_matched, "Balanced sets as large as the skewed ones");
    flag("--dose", options.parts.dose, "Classes 3 and 9 (cat, truck) cut to further counts");
    flag("--transfer", options.parts.transfer, "Every kind's gradient against every kind");
}

}  // namespace SKEWGRAD_NAMESPACE
