// The number of processors that this process may use: its CPU affinity, limited by the CPU quota of its cgroups.
#pragma once
#include <algorithm>
#include <bit>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>

#if defined(__linux__)
#include <sched.h>

#include <cerrno>
#endif

namespace SKEWGRAD_NAMESPACE {
namespace cpu {

/// The number of processors in this process's affinity mask, which taskset, Slurm and cpusets set; at least 1.
inline int processors_of_affinity() {
#if defined(__linux__)
    // The kernel refuses a set that is too small for the machine with EINVAL. (nvcc accepts no vector of cpu_set_t.)
    for (std::size_t words = 16; words <= 65'536; words *= 2) {
        std::vector<unsigned long> set(words);
        if (::sched_getaffinity(0, words * sizeof(long), reinterpret_cast<cpu_set_t*>(set.data())) == 0) {
            int count = 0;
            for (const unsigned long word : set) count += std::popcount(word);
            return std::max(1, count);
        }
        if (errno != EINVAL) break;
    }
#endif
    return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

/// Removes the next field from the front of `text`, up to `end`; the whole text if there is no `end`.
inline std::string_view take_field(std::string_view& text, char end) {
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view field = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return field;
}

/// The number of processors that `quota` microseconds in every `period` keep busy, rounded up, at least 1. No value
/// unless both are numbers above 0: "max" and -1 mean no limit.
inline std::optional<int> processors_of_quota(std::string_view quota, std::string_view period) {
    const auto number = [](std::string_view text) {
        text = text.substr(0, text.find_last_not_of(" \n") + 1);
        long long n = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
        return problem == std::errc() && end == text.data() + text.size() ? n : 0;
    };
    const long long used = number(quota), of = number(period);
    if (used <= 0 || of <= 0) return {};
    return static_cast<int>(std::min<long long>((used - 1) / of + 1, std::numeric_limits<int>::max()));
}

/// The folders of a process's cgroup and of its ancestors, its own first, in the hierarchy that limits CPU time.
struct CgroupFolders {
    std::vector<std::string> v2, v1;
};

/// Parsed from the text of /proc/self/cgroup and /proc/self/mountinfo. A container sees its own part of the hierarchy:
/// if its cgroup is not below the mounted folder, the mount's own folder is used.
inline CgroupFolders cgroup_folders(std::string_view memberships, std::string_view mounts) {
    const auto lists = [](std::string_view names, std::string_view name) {
        while (!names.empty())
            if (take_field(names, ',') == name) return true;
        return false;
    };
    std::optional<std::string> v2, v1;
    while (!memberships.empty()) {  // 4:cpu,cpuacct:/path, or 0::/path in version 2
        std::string_view line = take_field(memberships, '\n');
        const std::string_view number = take_field(line, ':'), controllers = take_field(line, ':');
        if (number == "0" && controllers.empty()) v2 = line;
        if (lists(controllers, "cpu")) v1 = line;
    }
    const auto unescaped = [](std::string_view path) {  // \040 is a space
        std::string plain;
        for (std::size_t i = 0; i < path.size(); ++i) {
            unsigned char code = 0;
            if (path[i] == '\\' && i + 3 < path.size() &&
                std::from_chars(path.data() + i + 1, path.data() + i + 4, code, 8).ptr == path.data() + i + 4) {
                plain += static_cast<char>(code);
                i += 3;
            } else {
                plain += path[i];
            }
        }
        return plain;
    };
    const auto folders = [](const std::string& root, const std::string& mount, const std::string& cgroup) {
        std::string below = cgroup;
        const std::size_t top = root == "/" ? 0 : root.size();
        if (cgroup.compare(0, top, root, 0, top) == 0 && (cgroup.size() == top || cgroup[top] == '/'))
            below.erase(0, top);
        else
            below.clear();
        if (below == "/" || below.find("/..") != std::string::npos) below.clear();
        std::vector<std::string> all;
        for (; !below.empty(); below.erase(below.rfind('/'))) all.push_back(mount + below);
        all.push_back(mount);
        return all;
    };
    CgroupFolders found;
    while (!mounts.empty()) {  // id parent device root mount options [tags] - type source options
        std::string_view line = take_field(mounts, '\n');
        for (int i = 0; i < 3; ++i) take_field(line, ' ');
        const std::string root = unescaped(take_field(line, ' ')), mount = unescaped(take_field(line, ' '));
        while (!line.empty() && take_field(line, ' ') != "-") continue;
        const std::string_view type = take_field(line, ' ');
        take_field(line, ' ');
        if (type == "cgroup2" && v2) found.v2 = folders(root, mount, *v2);
        if (type == "cgroup" && v1 && lists(line, "cpu")) found.v1 = folders(root, mount, *v1);
    }
    return found;
}

/// The smallest quota of the process's cgroup and its ancestors, in processors; no value if none is set. `read(path)`
/// returns a file's text, or an empty text if there is no file.
template <class Read>
std::optional<int> processors_of_cgroups(const Read& read) {
    const CgroupFolders folders = cgroup_folders(read("/proc/self/cgroup"), read("/proc/self/mountinfo"));
    std::optional<int> least;
    const auto limit = [&least](std::optional<int> one) {
        if (one && (!least || *one < *least)) least = one;
    };
    for (const std::string& folder : folders.v2) {
        const std::string text = read(folder + "/cpu.max");
        std::string_view rest = text;
        const std::string_view quota = take_field(rest, ' ');
        limit(processors_of_quota(quota, rest));
    }
    for (const std::string& folder : folders.v1)
        limit(processors_of_quota(read(folder + "/cpu.cfs_quota_us"), read(folder + "/cpu.cfs_period_us")));
    return least;
}

/// The number of threads of this process that can run in parallel for long: the smaller of affinity and quota.
inline int usable_processors() {
    const auto read = [](const std::string& path) {
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    const int most = processors_of_affinity();
    return std::min(most, processors_of_cgroups(read).value_or(most));
}

}  // namespace cpu
}  // namespace SKEWGRAD_NAMESPACE
