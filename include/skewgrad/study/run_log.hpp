// The log of a run: what each process does and did, and how long its parts took. No result depends on it.
#pragma once
#include <cstdint>
#include <ctime>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/store/claim_file.hpp>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/study/run_layout.hpp>

namespace SKEWGRAD_NAMESPACE {

/// What a process does at the moment.
struct PartUnderWay {
    std::string part;                                        ///< its name
    std::string title;                                       ///< "training Under cat, seed 1"
    std::int64_t since = 0;                                  ///< Unix time, by the process's clock
    int round = 0, rounds = 0;                               ///< of a training
    double loss = std::numeric_limits<double>::quiet_NaN();  ///< of its current round, nats
    double done = 0;                                         ///< 0 .. 1
};

/// What a process that works, or worked, on a run says of itself.
struct ProcessLog {
    std::string host;  ///< the machine's name
    posix::Writer writer;
    std::int64_t began = 0, written = 0;    ///< Unix time, by the process's clock
    bool ended = false;                     ///< it has left the run
    std::vector<PartUnderWay> work;         ///< in the order in which they began
    std::map<std::string, double> seconds;  ///< spent on each part, without the one under way
    double images_per_second = std::numeric_limits<double>::quiet_NaN();  ///< in training
    double seconds_left = std::numeric_limits<double>::quiet_NaN();       ///< of the whole run, if it did all alone

    nlohmann::json json() const {
        nlohmann::json j = posix::to_json(writer, host);
        j.update({{"began", began},
                  {"written", written},
                  {"ended", ended},
                  {"work", nlohmann::json::array()},
                  {"seconds", seconds},
                  {"images_per_second", images_per_second},
                  {"seconds_left", seconds_left}});
        for (const PartUnderWay& w : work)
            j["work"].push_back({{"part", w.part},
                                 {"title", w.title},
                                 {"since", w.since},
                                 {"round", w.round},
                                 {"rounds", w.rounds},
                                 {"loss", w.loss},
                                 {"done", w.done}});
        return j;
    }
    /// Parses the format of `json`. Throws FileError for anything else.
    static ProcessLog from(const JsonEntry& j) {
        constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
        const auto time = [](const JsonEntry& at) { return at.whole<std::int64_t>(0, study::latest_time); };
        ProcessLog log;
        log.host = j.at("host").text();
        log.writer = posix::writer_from(j);
        log.began = time(j.at("began"));
        log.written = time(j.at("written"));
        log.ended = j.at("ended").truth();
        for (const JsonEntry& w : j.at("work").list())
            log.work.push_back({.part = w.at("part").text(),
                                .title = w.at("title").text(),
                                .since = time(w.at("since")),
                                .round = w.at("round").whole<int>(0),
                                .rounds = w.at("rounds").whole<int>(0),
                                .loss = w.at("loss").number_or(unknown),
                                .done = w.at("done").number(0, 1)});
        for (const auto& [part, seconds] : j.at("seconds").members()) log.seconds[part] = seconds.number(0);
        log.images_per_second = j.at("images_per_second").number_or(unknown);
        log.seconds_left = j.at("seconds_left").number_or(unknown);
        return log;
    }
};

namespace study {

/// A process's log; none if it is missing or cannot be read.
inline std::optional<ProcessLog> read_log(const std::filesystem::path& file) {
    try {
        const nlohmann::json found = parse_json(read_whole_text(file), file.string());
        return ProcessLog::from(JsonEntry(found, file.string()));
    } catch (const FileError&) {
        return std::nullopt;
    }
}
/// The logs of all processes that worked on a run, in no meaningful order. Those that cannot be read are left out.
inline std::vector<ProcessLog> read_logs(const RunLayout& at) {
    std::vector<ProcessLog> all;
    try {
        if (!is_folder(at.processes())) return all;
        for (const auto& file : entries_of(at.processes()))
            if (auto log = is_partial_file(file) ? std::nullopt : read_log(file)) all.push_back(*std::move(log));
    } catch (const FileError&) {
    }
    return all;
}

/// When the first of these processes began; 0: unknown.
inline std::int64_t first_beginning(const std::vector<ProcessLog>& logs) {
    std::int64_t first = 0;
    for (const ProcessLog& log : logs)
        if (first == 0 || (log.began > 0 && log.began < first)) first = log.began;
    return first;
}
/// The time that each part took, over all processes.
inline std::map<std::string, double> seconds_by_part(const std::vector<ProcessLog>& logs) {
    std::map<std::string, double> sums;
    for (const ProcessLog& log : logs)
        for (const auto& [part, seconds] : log.seconds) sums[part] += seconds;
    return sums;
}

/// This process's log, a file of its own.
class OwnLog {
public:
    explicit OwnLog(const RunLayout& at) {
        mine_.host = posix::host_name();
        mine_.writer = posix::this_writer();
        mine_.began = std::time(nullptr);
        const posix::Writer& w = mine_.writer;
        file_ = at.processes() /
                (w.machine + "-" + w.boot + "-" + std::to_string(w.process) + "-" + std::to_string(w.began) + ".json");
        // A process may work on a run twice.
        if (const auto before = read_log(file_)) mine_.seconds = before->seconds, mine_.began = before->began;
    }
    ProcessLog& operator*() { return mine_; }
    ProcessLog* operator->() { return &mine_; }
    /// The study goes on if it cannot be written.
    void write() {
        mine_.written = std::time(nullptr);
        try_write_whole_file(file_, json_text(mine_.json(), 1) + "\n");
    }

private:
    ProcessLog mine_;
    std::filesystem::path file_;
};

}  // namespace study

}  // namespace SKEWGRAD_NAMESPACE
