// The options of the paper's study: protocol, scale, seeds, optional parts.
#pragma once
#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include <skewgrad/command_line/options.hpp>
#include <skewgrad/study/paper.hpp>

namespace SKEWGRAD_NAMESPACE {

struct PaperOptions {
    std::string protocol = "as-written", under = "inferred";
    std::optional<int> looks, held_out;  ///< empty: not given
    PaperParts parts;

    /// `scale` with what was asked for instead. Throws ValueError for a scale by which no network would ever be done.
    PaperScale scaled(PaperScale scale) const {
        scale.looks = looks.value_or(scale.looks);
        scale.held_out = held_out.value_or(scale.held_out);
        if (scale.held_out >= scale.per_class)
            throw ValueError("--held-out " + std::to_string(scale.held_out) +
                             " leaves nothing to train on: there are " + std::to_string(scale.per_class) +
                             " images a class");
        if (scale.held_out == 0 && !looks)
            throw ValueError("--held-out 0 leaves nothing to stop by: it needs --looks N");
        return scale;
    }
    AsRun as_run() const { return {.under = under == "committed" ? AsRunUnder::committed : AsRunUnder::inferred}; }
};

/// `options` must outlive the parsing.
inline void add_paper(CLI::App& app, PaperOptions& options) {
    const auto number = [&](const char* name, std::optional<int>& target, int least, int most, const char* what) {
        app.add_option_function<std::string>(
               name,
               [&target, name, least, most](const std::string& text) {
                   target = options::parse_number(name, text, least, most);
               },
               what)
            ->type_name("N");
    };
    add_choice(app, "--protocol", options.protocol, {"as-written", "as-run"}, "The paper's words, or its code");
    add_choice(app, "--as-run-under", options.under, {"inferred", "committed"}, "What stopped 'under' as run");
    number("--looks", options.looks, 1, 200, "Looks at most: 200, or 6 with --quick");
    number("--held-out", options.held_out, 0, 4000, "As written: images a class held out, 500, or 100 with --quick");
    add_number(app, "--seeds", options.parts.seeds, 1, 1000, "Blocks of networks: seeds --seed, --seed + 1, ...");
    const auto flag = [&](const char* name, bool& target, const char* description) {
        app.add_flag(name, target, description)->group("Further networks and cells");
    };
    flag("--size-matched", options.parts.size_matched, "Balanced sets as large as the skewed ones");
    flag("--dose", options.parts.dose, "Classes 3 and 9 (cat, truck) cut to further counts");
    flag("--transfer", options.parts.transfer, "Every kind's gradient against every kind");
}

}  // namespace SKEWGRAD_NAMESPACE
