// Command-line options that all study programs share, validated with a one-line error for each mistake.
#pragma once
#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/core/thread_count.hpp>
#include <skewgrad/report/number.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The environment variable that names the data folder if `--data` is absent.
inline constexpr const char* data_variable = "SKEWGRAD_CIFAR10";

/// The values that `add_common` fills. A program changes defaults before it calls `add_common`.
struct CommonOptions {
    std::filesystem::path data;  ///< empty: not given
    int threads = 0;             ///< before parsing, 0: default_threads()
    Seed seed{1};
    bool quick = false;
    std::filesystem::path out;  ///< empty: not given
    float epsilon = 0.01f;      ///< on pixels in [0, 1]
};

namespace options {

/// Parses all of `text` as a decimal number of exactly this type within [least, most].
/// Throws CLI::ValidationError that names the option, the text and the range.
template <class N>
N parse_number(const std::string& name, const std::string& text, N least, N most) {
    const auto shown = [](N bound) {
        if constexpr (std::floating_point<N>)
            return shortest(bound);
        else
            return std::to_string(bound);
    };
    N number{};
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    // The condition is written so that NaN fails.
    if (problem != std::errc() || end != text.data() + text.size() || !(number >= least && number <= most))
        throw CLI::ValidationError(name, std::string("needs a ") +
                                             (std::floating_point<N> ? "number" : "whole number") + " from " +
                                             shown(least) + " to " + shown(most) + ", got \"" + text + "\"");
    return number;
}

}  // namespace options

/// Adds an option that takes one number within [least, most]. The target's value is the default that `--help` shows.
/// The target must outlive the parsing.
/// CLI11 by itself would parse -1 as 18446744073709551615 and 010 as 8.
template <class N>
    requires std::integral<N> || std::floating_point<N>
CLI::Option* add_number(CLI::App& app, const std::string& name, N& target, N least, N most,
                        const std::string& description) {
    CLI::Option* option = app.add_option_function<std::string>(
        name,
        [&target, name, least, most](const std::string& text) {
            target = options::parse_number(name, text, least, most);
        },
        description);
    if constexpr (std::floating_point<N>)
        option->default_str(shortest(target));
    else
        option->default_str(std::to_string(target));
    return option->type_name(std::floating_point<N> ? "X" : "N");
}

/// Adds an option that takes one of the words in `choices`. The target's value is the default that `--help` shows.
inline CLI::Option* add_choice(CLI::App& app, const std::string& name, std::string& target,
                               const std::vector<std::string>& choices, const std::string& description) {
    return app.add_option(name, target, description)->check(CLI::IsMember(choices))->capture_default_str();
}

/// Adds `--threads`. If neither the option nor the program gives a number, it is default_threads() after parsing. An
/// invalid environment variable is therefore a one-line parsing error, and `--threads` overrides it.
inline void add_threads(CLI::App& app, int& threads) {
    CLI::Option* option =
        add_number(app, "--threads", threads, 1, most_threads, "Threads to compute with; results do not depend on it")
            ->group("Run");
    if (threads == 0) option->default_str("as many as the environment asks for, or this process may use");
    app.parse_complete_callback([&threads] {
        if (threads == 0) threads = default_threads();
    });
}

/// Adds `--data` (or the environment's SKEWGRAD_CIFAR10), `--out`, `--quick`, `--seed`, `--threads`, `--epsilon`.
/// `options` must outlive the parsing. This checks only that the data folder exists; its loader checks the contents.
inline void add_common(CLI::App& app, CommonOptions& options) {
    // `--help` is shown even if another option or the environment is invalid.
    app.set_help_flag();
    app.add_flag_callback("-h,--help", [] { throw CLI::CallForHelp(); }, "Show this help and end")->trigger_on_parse();

    app.add_option_function<std::string>(
           "--data",
           [&options](const std::string& folder) {
               std::error_code ignored;
               if (!std::filesystem::is_directory(folder, ignored))
                   throw CLI::ValidationError(
                       "--data", "there is no folder \"" + folder + "\" (the option's or " + data_variable + "'s)");
               options.data = folder;
           },
           "Folder that holds CIFAR-10's binary files")
        ->type_name("FOLDER")
        ->envname(data_variable)
        ->group("Files");
    CLI::Option* out =
        app.add_option_function<std::string>(
               "--out",
               [&options](const std::string& folder) {
                   std::error_code ignored;
                   if (folder.empty()) throw CLI::ValidationError("--out", "needs a folder, got \"\"");
                   if (std::filesystem::exists(folder, ignored) && !std::filesystem::is_directory(folder, ignored))
                       throw CLI::ValidationError("--out", "\"" + folder + "\" is no folder");
                   options.out = folder;
               },
               "Folder for results, made where it is missing")
            ->type_name("FOLDER")
            ->group("Files");
    if (!options.out.empty()) out->default_str(options.out.string());

    app.add_flag("--quick", options.quick, "A small version that ends within minutes")->group("Run");
    add_number(app, "--seed", options.seed.value, std::uint64_t{0}, std::numeric_limits<std::uint64_t>::max(),
               "Seed of everything that is drawn")
        ->group("Run");
    add_threads(app, options.threads);
    add_number(app, "--epsilon", options.epsilon, 0.0f, 1.0f, "Size of the attack's step, on pixels in [0, 1]")
        ->group("Attack");
}

/// The data folder. Throws ValueError that says how to give one if there is none.
inline const std::filesystem::path& required_data(const CommonOptions& options) {
    if (options.data.empty())
        throw ValueError(std::string("no data folder: give --data FOLDER or set ") + data_variable);
    return options.data;
}

}  // namespace SKEWGRAD_NAMESPACE
