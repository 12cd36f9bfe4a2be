// Processors that this process may use: its affinity, and quotas of cgroups as their files say them.
#define BOOST_TEST_MODULE core_processors
#include <boost/test/unit_test.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <skewgrad/core/processors.hpp>

using namespace skewgrad;
using namespace skewgrad::cpu;
using Folders = std::vector<std::string>;

#if defined(__linux__)
BOOST_AUTO_TEST_CASE(the_affinity_is_counted) {
    cpu_set_t all;
    BOOST_REQUIRE(::sched_getaffinity(0, sizeof all, &all) == 0);
    BOOST_TEST(processors_of_affinity() == CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all)) ++first;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    BOOST_REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    BOOST_TEST(processors_of_affinity() == 1);
    BOOST_TEST(usable_processors() == 1);
    BOOST_REQUIRE(::sched_setaffinity(0, sizeof all, &all) == 0);
}
#endif

BOOST_AUTO_TEST_CASE(quotas_are_rounded_up) {
    BOOST_TEST(processors_of_quota("200000", "100000\n").value() == 2);
    BOOST_TEST(processors_of_quota("200001", "100000").value() == 3);
    BOOST_TEST(processors_of_quota("150000", "100000").value() == 2);
    BOOST_TEST(processors_of_quota("1000", "100000").value() == 1);
    BOOST_TEST(processors_of_quota("50000\n", "10000\n").value() == 5);
    BOOST_TEST(processors_of_quota("9223372036854775807", "1").value() == 2147483647);
    for (const auto& [quota, period] : {std::pair("max", "100000"),
                                        {"-1", "100000"},
                                        {"", ""},
                                        {"0", "100000"},
                                        {"1000", "0"},
                                        {"1000", ""},
                                        {"x", "y"},
                                        {"99999999999999999999", "1"}})
        BOOST_TEST(!processors_of_quota(quota, period), quota << " of " << period);
}

BOOST_AUTO_TEST_CASE(folders_of_version_2) {
    const CgroupFolders of =
        cgroup_folders("0::/system.slice/job.scope/step\n",
                       "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                       "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    BOOST_TEST(of.v2 == (Folders{"/sys/fs/cgroup/system.slice/job.scope/step", "/sys/fs/cgroup/system.slice/job.scope",
                                 "/sys/fs/cgroup/system.slice", "/sys/fs/cgroup"}),
               boost::test_tools::per_element());
    BOOST_TEST(of.v1.empty());
}

BOOST_AUTO_TEST_CASE(folders_of_version_1_and_of_both) {
    const CgroupFolders of =
        cgroup_folders("4:memory:/m\n3:cpu,cpuacct:/slurm/uid_0/job_1\n2:cpuset:/c\n0::/unified\n",
                       "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
                       "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                       "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n"
                       "34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    BOOST_TEST(
        of.v1 == (Folders{"/sys/fs/cgroup/cpu,cpuacct/slurm/uid_0/job_1", "/sys/fs/cgroup/cpu,cpuacct/slurm/uid_0",
                          "/sys/fs/cgroup/cpu,cpuacct/slurm", "/sys/fs/cgroup/cpu,cpuacct"}),
        boost::test_tools::per_element());
    BOOST_TEST(of.v2 == (Folders{"/sys/fs/cgroup/unified/unified", "/sys/fs/cgroup/unified"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_container_sees_its_own_part) {
    const auto folders = [](const std::string& cgroup, const std::string& root) {
        return cgroup_folders("0::" + cgroup + "\n", "9 8 0:1 " + root + " /cg rw - cgroup2 cgroup2 rw\n").v2;
    };
    BOOST_TEST(folders("/", "/") == Folders{"/cg"}, boost::test_tools::per_element());
    BOOST_TEST(folders("/docker/abc", "/docker/abc") == Folders{"/cg"}, boost::test_tools::per_element());
    BOOST_TEST(folders("/docker/abc/x", "/docker/abc") == (Folders{"/cg/x", "/cg"}), boost::test_tools::per_element());
    BOOST_TEST(folders("/docker/abcd", "/docker/abc") == Folders{"/cg"}, boost::test_tools::per_element());
    BOOST_TEST(folders("/elsewhere", "/docker/abc") == Folders{"/cg"}, boost::test_tools::per_element());
    BOOST_TEST(folders("/../other", "/") == Folders{"/cg"}, boost::test_tools::per_element());
    BOOST_TEST(folders("/a b", "/") == (Folders{"/cg/a b", "/cg"}), boost::test_tools::per_element());
    const CgroupFolders spaced = cgroup_folders("0::/\n", "9 8 0:1 / /c\\040g rw - cgroup2 cgroup2 rw\n");
    BOOST_TEST(spaced.v2 == Folders{"/c g"}, boost::test_tools::per_element());
    for (const char* nonsense : {"", "\n", "0", "0:", ":::", "x y z\n", "9 8 0:1 /", "9 8 0:1 / /cg rw - cgroup2"}) {
        BOOST_TEST(cgroup_folders(nonsense, "9 8 0:1 / /cg rw - cgroup2 cgroup2 rw\n").v1.empty());
        BOOST_TEST(cgroup_folders("1:cpu:/\n0::/\n", nonsense).v1.empty());
    }
}

BOOST_AUTO_TEST_CASE(the_least_quota_of_all_folders_counts) {
    std::map<std::string, std::string> files{
        {"/proc/self/cgroup", "2:cpu:/a\n0::/job/step\n"},
        {"/proc/self/mountinfo", "9 8 0:1 / /cg rw - cgroup2 cgroup2 rw\n8 7 0:2 / /cpu rw - cgroup cgroup rw,cpu\n"},
    };
    const auto read = [&files](const std::string& path) { return files.contains(path) ? files[path] : std::string(); };
    BOOST_TEST(!processors_of_cgroups(read));
    files["/cg/job/step/cpu.max"] = "max 100000\n";
    BOOST_TEST(!processors_of_cgroups(read));
    files["/cg/job/cpu.max"] = "350000 100000\n";  // of the one above
    BOOST_TEST(processors_of_cgroups(read).value() == 4);
    files["/cg/job/step/cpu.max"] = "800000 100000\n";
    BOOST_TEST(processors_of_cgroups(read).value() == 4);
    files["/cpu/a/cpu.cfs_quota_us"] = "-1\n";
    files["/cpu/a/cpu.cfs_period_us"] = "100000\n";
    BOOST_TEST(processors_of_cgroups(read).value() == 4);
    files["/cpu/cpu.cfs_quota_us"] = "300000\n";
    files["/cpu/cpu.cfs_period_us"] = "100000\n";
    BOOST_TEST(processors_of_cgroups(read).value() == 3);
    files["/cg/job/step/cpu.max"] = "1000 100000\n";
    BOOST_TEST(processors_of_cgroups(read).value() == 1);
}
