// The number of threads of a context: from the environment, else the processors that this process may use.
#pragma once
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/processors.hpp>

namespace SKEWGRAD_NAMESPACE {

/// The largest accepted number of threads.
inline constexpr int most_threads = 4096;

/// Returns `threads`; throws ValueError unless it is from 1 to most_threads.
inline int checked_threads(int threads) {
    if (threads < 1 || threads > most_threads)
        throw ValueError("a context has from 1 to " + std::to_string(most_threads) + " threads, not " +
                         std::to_string(threads));
    return threads;
}

/// The number of threads that an environment variable requests; no value if it is unset (null) or empty. Throws
/// ValueError, with the variable's name, for anything but a whole number from 1 to most_threads.
inline std::optional<int> threads_of_variable(const char* name, const char* value) {
    if (value == nullptr || *value == '\0') return {};
    std::string_view text = value;
    if (std::string_view(name) == "OMP_NUM_THREADS") {  // a list, one number per nesting level; blanks are allowed
        text = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
        text = text.substr(0, text.find_last_not_of(" \t") + 1);
    }
    int threads = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), threads);
    if (problem != std::errc() || end != text.data() + text.size() || threads < 1 || threads > most_threads)
        throw ValueError(std::string("environment variable ") + name + " is '" + value +
                         "'; possible: a whole number from 1 to " + std::to_string(most_threads));
    return threads;
}

/// The number of threads of a default context, with or without OpenMP. The first of these variables that is set and not
/// empty wins: SKEWGRAD_THREADS, OMP_NUM_THREADS, SLURM_CPUS_PER_TASK. Otherwise it is the number of processors that
/// this process may use (cpu::usable_processors). Throws ValueError if the winning variable is not a number of threads.
inline int default_threads() {
    for (const char* name : {"SKEWGRAD_THREADS", "OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"})
        if (const auto wish = threads_of_variable(name, std::getenv(name))) return *wish;
    return std::min(cpu::usable_processors(), most_threads);
}

}  // namespace SKEWGRAD_NAMESPACE
