// Names of temporary files with the writer's machine, boot and process, which distinguish leftovers from work in
// progress.
#pragma once
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/file.hpp>
#include <skewgrad/store/digest.hpp>

// A lock is not enough to distinguish them: on some network file systems it does not exclude other machines.
namespace SKEWGRAD_NAMESPACE {

namespace posix {

/// The writer of a file. The start time, in ticks since boot, distinguishes a process from an earlier one with its
/// number; 0: unknown.
struct Writer {
    std::string machine, boot;  ///< digests
    std::uint64_t process = 0, began = 0;
    friend bool operator==(const Writer&, const Writer&) = default;
};

/// The content of a small system file; empty if there is none.
inline std::string told_by(const std::filesystem::path& file) {
    try {
        return read_whole_text(file);
    } catch (const FileError&) {
        return {};
    }
}

/// A process's start time. The process name, in parentheses, may contain anything; the time is the 20th word after it.
inline std::uint64_t began(std::uint64_t process) {
    const std::string stat = told_by("/proc/" + std::to_string(process) + "/stat");
    std::size_t at = stat.rfind(')');
    for (int word = 0; word < 20 && at != std::string::npos; ++word) at = stat.find(' ', at + 1);
    std::uint64_t ticks = 0;
    if (at != std::string::npos) std::from_chars(stat.data() + at + 1, stat.data() + stat.size(), ticks);
    return ticks;
}

/// This process. Machines are identified by name and machine-id, since either may be duplicated. Containers on one
/// machine are identified by their PID namespace, since a number means nothing in another container.
inline Writer this_writer() {
    static const Writer here = [] {
        std::array<char, 256> host{}, processes{};
        ::gethostname(host.data(), host.size() - 1);
        (void)!::readlink("/proc/self/ns/pid", processes.data(), processes.size() - 1);
        return Writer{Digest().text(host.data()).text(told_by("/etc/machine-id")).text(processes.data()).hex(),
                      Digest().text(told_by("/proc/sys/kernel/random/boot_id")).hex(), 0, 0};
    }();
    Writer me = here;
    me.process = static_cast<std::uint64_t>(::getpid());
    me.began = began(me.process);
    return me;
}

/// Whether the process that wrote a file has certainly ended. For other machines this is never certain.
inline bool is_gone(const Writer& writer, const Writer& me) {
    if (writer.machine != me.machine) return false;
    if (writer.boot != me.boot) return true;
    if (::kill(static_cast<pid_t>(writer.process), 0) != 0 && errno == ESRCH) return true;
    const std::uint64_t now = began(writer.process);
    return now != 0 && writer.began != 0 && now != writer.began;
}

inline constexpr std::string_view temporary_begins = ".skewgrad-", temporary_ends = ".partial";

/// ".skewgrad-<machine>-<boot>-<process>-<began>-<number>.partial".
inline std::string temporary_name(const Writer& by, std::uint64_t number) {
    return std::string(temporary_begins) + by.machine + "-" + by.boot + "-" + std::to_string(by.process) + "-" +
           std::to_string(by.began) + "-" + std::to_string(number) + std::string(temporary_ends);
}

/// The writer of the temporary file with that name; none if the name has another form.
inline std::optional<Writer> writer_of(std::string_view name) {
    if (!name.starts_with(temporary_begins) || !name.ends_with(temporary_ends)) return std::nullopt;
    name.remove_prefix(temporary_begins.size());
    name.remove_suffix(temporary_ends.size());
    std::array<std::string_view, 5> words;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::size_t end = i + 1 < words.size() ? name.find('-') : name.size();
        if (end == std::string_view::npos) return std::nullopt;
        words[i] = name.substr(0, end);
        name.remove_prefix(end + (i + 1 < words.size()));
    }
    const auto number = [](std::string_view word) -> std::optional<std::uint64_t> {
        std::uint64_t value = 0;
        const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
        if (problem != std::errc() || end != word.data() + word.size()) return std::nullopt;
        return value;
    };
    const auto process = number(words[2]), began = number(words[3]);
    constexpr std::uint64_t largest = 0x7fff'ffff;  // kill() takes 0 and numbers above this for many processes
    if (!process || !began || !number(words[4]) || *process == 0 || *process > largest) return std::nullopt;
    return Writer{std::string(words[0]), std::string(words[1]), *process, *began};
}

}  // namespace posix

}  // namespace SKEWGRAD_NAMESPACE
