// A file that says who does something at the moment, so that nobody else begins it: a courtesy, no lock.
#pragma once
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/file.hpp>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/store/json_text.hpp>
#include <skewgrad/store/process_mark.hpp>
#include <skewgrad/store/whole_file.hpp>

namespace SKEWGRAD_NAMESPACE {

namespace posix {

/// This machine's name.
inline std::string host_name() {
    std::array<char, 256> host{};
    ::gethostname(host.data(), host.size() - 1);
    return host.data();
}

/// A writer as JSON, with the machine's name for readers, and back; none for anything else.
inline nlohmann::json to_json(const Writer& writer, const std::string& host) {
    return {{"host", host},
            {"machine", writer.machine},
            {"boot", writer.boot},
            {"process", writer.process},
            {"process_began", writer.began}};
}
inline Writer writer_from(const JsonEntry& j) {
    constexpr std::uint64_t largest = 0x7fff'ffff;
    return {j.at("machine").text(), j.at("boot").text(), j.at("process").whole<std::uint64_t>(1, largest),
            j.at("process_began").whole<std::uint64_t>()};
}

}  // namespace posix

/// Exists while its owner works, which saves others the same work. What it guards must be right without it: it may be
/// taken over from an owner that still works, and where it cannot be written everybody has it.
class ClaimFile {
public:
    /// An owner of which nothing else is known counts as gone after this time without a sign of life.
    static constexpr double patience = 900;  // seconds

    /// Takes the claim at `path`; none if another process has it that has shown itself lately. The claims of processes
    /// of this machine that have ended are taken over at once.
    static std::optional<ClaimFile> take(const std::filesystem::path& path) {
        const posix::Writer me = posix::this_writer();
        // A name for a whole file, given at once: a reader never sees half an owner.
        const std::filesystem::path mine = temporary_beside(path);
        const posix::Descriptor file = posix::open(mine, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        struct stat about{};
        if (!file.is_open() || ::fstat(file.number(), &about) != 0) return ClaimFile({}, me);
        nlohmann::json owner = posix::to_json(me, posix::host_name());
        owner["file"] = static_cast<std::uint64_t>(about.st_ino);
        const std::string text = json_text(owner) + "\n";
        if (posix::write_all(file.number(), std::as_bytes(std::span(text))) != 0) {
            ::unlink(mine.c_str());
            return ClaimFile({}, me);
        }
        int error = EEXIST;
        for (int tries = 0; tries < 3 && error == EEXIST; ++tries) {
            error = ::link(mine.c_str(), path.c_str()) == 0 ? 0 : errno;
            if (error == EEXIST && is_held(path)) break;
            if (error == EEXIST) ::unlink(path.c_str());
        }
        ::unlink(mine.c_str());
        if (error == EEXIST) return std::nullopt;
        return ClaimFile(error == 0 ? path : std::filesystem::path(), me);
    }
    ClaimFile(ClaimFile&& other) noexcept
        : path_(std::exchange(other.path_, {})), me_(other.me_), renewed_(other.renewed_) {}
    ClaimFile& operator=(ClaimFile&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(me_, other.me_);
        std::swap(renewed_, other.renewed_);
        return *this;
    }
    /// Gives it up, unless another process has taken it over.
    ~ClaimFile() {
        if (!path_.empty() && owner_of(path_) == me_) ::unlink(path_.c_str());
    }

    /// A sign of life, for processes on other machines; often called, seldom written.
    void renew(std::chrono::seconds often_enough = std::chrono::seconds(30)) {
        const auto now = std::chrono::steady_clock::now();
        if (path_.empty() || now - renewed_ < often_enough) return;
        ::utimensat(AT_FDCWD, path_.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
        renewed_ = now;
    }

    /// Whether the claim at `path` is that of a process that may still work. A copy of a claim is nobody's: a folder
    /// may be copied while somebody works in it.
    static bool is_held(const std::filesystem::path& path) {
        try {
            const nlohmann::json found = parse_json(read_whole_text(path), path.string());
            const JsonEntry entry(found, path.string());
            struct stat about{};
            const bool is_copy = ::lstat(path.c_str(), &about) == 0 &&
                                 entry.at("file").whole<std::uint64_t>() != static_cast<std::uint64_t>(about.st_ino);
            if (is_copy || posix::is_gone(posix::writer_from(entry), posix::this_writer())) return false;
        } catch (const Error&) {  // gone by now, or nothing that this program wrote
        }
        return silence(path) < patience;
    }

private:
    ClaimFile(std::filesystem::path path, posix::Writer me) : path_(std::move(path)), me_(std::move(me)) {}

    static std::filesystem::path temporary_beside(const std::filesystem::path& path) {
        static std::atomic<std::uint64_t> made{0};
        return path.parent_path() / posix::temporary_name(posix::this_writer(), made++);
    }
    static std::optional<posix::Writer> owner_of(const std::filesystem::path& path) {
        try {
            const nlohmann::json found = parse_json(read_whole_text(path), path.string());
            return posix::writer_from(JsonEntry(found, path.string()));
        } catch (const Error&) {
            return std::nullopt;
        }
    }
    /// Seconds since the last sign of life by the clock of the file system, since machines' clocks differ: the time of
    /// a file made now against that of the claim.
    static double silence(const std::filesystem::path& path) {
        const std::filesystem::path probe = temporary_beside(path);
        struct stat now{}, then{};
        const posix::Descriptor file = posix::open(probe, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        const bool both = file.is_open() && ::futimens(file.number(), nullptr) == 0 &&
                          ::fstat(file.number(), &now) == 0 && ::lstat(path.c_str(), &then) == 0;
        if (file.is_open()) ::unlink(probe.c_str());
        if (!both) return 0;
        return static_cast<double>(now.st_mtim.tv_sec - then.st_mtim.tv_sec);
    }

    std::filesystem::path path_;  // empty: nothing to give up
    posix::Writer me_;
    std::chrono::steady_clock::time_point renewed_ = std::chrono::steady_clock::now();
};

}  // namespace SKEWGRAD_NAMESPACE
