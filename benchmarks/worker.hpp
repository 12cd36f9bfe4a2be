// A benchmark program as `compare` speaks to it: a request a line on standard input, a JSON line back for each.
#pragma once
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <skewgrad/command_line/options.hpp>
#include <skewgrad/command_line/run_main.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/data.hpp>

namespace worker {

using Json = nlohmann::ordered_json;

/// What is to be timed. `work` is training, forward, fgsm or iterative; `batch` is the size of an update, `images` that
/// of one forward pass or attack. With `digest` nothing is timed: the digest of the work's result is asked for.
struct Request {
    std::string backend, network, work;
    int batch = 128, images = 1000;
    double seconds = 1;
    bool digest = false;
    bool trains() const { return work == "training"; }
    auto key() const { return backend + ' ' + network + ' ' + work + ' ' + std::to_string(trains() ? batch : images); }
};

/// Does one unit of a work and returns how many images that were.
using Unit = std::function<int()>;
using MakeUnit = std::function<Unit(const Request&)>;
using DigestOf = std::function<std::string(const Request&)>;

/// What a program can do: units to be timed, and digests of results where it has them.
struct Works {
    MakeUnit unit;
    DigestOf digest = {};
};

struct Settings {
    int threads = 0;             ///< once parsed, a number (add_threads)
    std::filesystem::path data;  ///< CIFAR-10's folder; empty: the embedded set
};

inline void add_settings(CLI::App& app, Settings& settings) {
    skewgrad::add_threads(app, settings.threads);
    app.add_option("--data", settings.data, "Folder of CIFAR-10's binary files; without it, painted images")
        ->envname(skewgrad::data_variable)
        ->check(CLI::ExistingDirectory);
}

/// Real images where there are some, else painted ones; never zeros, on which processors are faster.
inline skewgrad::Splits images(const Settings& settings, int train_per_class = 500) {
    if (!settings.data.empty()) return skewgrad::Cifar10::load(settings.data);
    return skewgrad::Embedded{.train_per_class = train_per_class, .test_per_class = 100}.load(settings.threads);
}

inline double processor_seconds() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](timeval t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}
inline double peak_mebibytes() {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    return static_cast<double>(used.ru_maxrss) / 1024;
}

/// Calls `unit` once unmeasured, then until `seconds` have passed, at least once. The speed is that of the median
/// call. `processor_share` below 1 says that the threads had to wait: for each other, or for other programs.
inline Json measure(const Unit& unit, double seconds, int threads) {
    using Clock = std::chrono::steady_clock;
    const auto since = [](Clock::time_point start) {
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    unit();
    std::vector<double> an_image;
    const double work = processor_seconds();
    const auto start = Clock::now();
    do {
        const auto begin = Clock::now();
        const int count = unit();
        an_image.push_back(since(begin) / count);
    } while (since(start) < seconds);
    const double share = (processor_seconds() - work) / (since(start) * threads);
    const auto middle = an_image.begin() + static_cast<std::ptrdiff_t>(an_image.size() / 2);
    std::nth_element(an_image.begin(), middle, an_image.end());
    return {{"images_per_second", 1 / *middle},
            {"calls", an_image.size()},
            {"processor_share", share},
            {"peak_mib", peak_mebibytes()}};
}

/// Answers requests; a work's unit is made, and its results are verified, when it is first asked for.
class Answers {
public:
    Answers(Works works, int threads) : works_(std::move(works)), threads_(threads) {}

    Json operator()(const Request& request) {
        Json answer{{"backend", request.backend},
                    {"network", request.network},
                    {"work", request.work},
                    {"batch", request.batch},
                    {"threads", threads_}};
        if (!request.trains()) answer["images"] = request.images;
        if (request.digest) {
            if (!works_.digest) throw skewgrad::ValueError("this program gives no digests");
            answer["digest"] = works_.digest(request);
            return answer;
        }
        auto [at, is_new] = units_.try_emplace(request.key());
        if (is_new) {
            try {
                at->second = works_.unit(request);
            } catch (...) {
                units_.erase(at);
                throw;
            }
        }
        answer.update(measure(at->second, request.seconds, threads_));
        return answer;
    }

private:
    Works works_;
    int threads_;
    std::map<std::string, Unit> units_;
};

inline void say(const Json& line) { std::cout << line.dump() << std::endl; }

inline Request parse(const std::string& line) {
    const auto json = Json::parse(line);
    const Request otherwise;
    return {.backend = json.at("backend"),
            .network = json.at("network"),
            .work = json.at("work"),
            .batch = json.value("batch", otherwise.batch),
            .images = json.value("images", otherwise.images),
            .seconds = json.value("seconds", otherwise.seconds),
            .digest = json.value("digest", otherwise.digest)};
}

/// Answers each line of standard input until it ends; what goes wrong with one is its answer.
inline void serve(Answers& answers) {
    for (std::string line; std::getline(std::cin, line);) {
        try {
            say(answers(parse(line)));
        } catch (const std::exception& problem) {
            say({{"error", problem.what()}});
        }
    }
}

/// The frame of every such program: `about` is said first, then all `requests` are answered, or with --serve those
/// that come in. `prepare(settings, about)` gives the works, or what makes their units.
template <class Prepare>
int run(CLI::App& app, int argc, char** argv, Json about, std::vector<Request> requests, Prepare prepare) {
    Settings settings;
    bool serving = false;
    double seconds = 1;
    app.add_flag("--serve", serving, "Answer requests from standard input instead of making all measurements");
    skewgrad::add_number(app, "--seconds", seconds, 0.0, 3600.0, "For each measurement");
    add_settings(app, settings);
    return skewgrad::run_main(app, argc, argv, [&] {
        Answers answers(Works{prepare(settings, about)}, settings.threads);
        about["threads"] = settings.threads;
        about["compiler"] = __VERSION__;
        say(about);
        if (serving) return serve(answers);
        for (Request request : requests) {
            request.seconds = seconds;
            say(answers(request));
        }
    });
}

}  // namespace worker
