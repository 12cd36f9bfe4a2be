// Durations, rates and counts at the edges where their units change.
#define BOOST_TEST_MODULE command_line_format
#include <boost/test/unit_test.hpp>
#include <limits>
#include <skewgrad/command_line/format.hpp>

using namespace skewgrad;

BOOST_AUTO_TEST_CASE(durations) {
    BOOST_TEST(format_duration(0) == "0.0 s");
    BOOST_TEST(format_duration(0.44) == "0.4 s");
    BOOST_TEST(format_duration(9.94) == "9.9 s");
    BOOST_TEST(format_duration(9.96) == "10 s");
    BOOST_TEST(format_duration(59.4) == "59 s");
    BOOST_TEST(format_duration(59.6) == "1 min 0 s");
    BOOST_TEST(format_duration(200) == "3 min 20 s");
    BOOST_TEST(format_duration(3599.4) == "59 min 59 s");
    BOOST_TEST(format_duration(3599.6) == "1 h 0 min");
    BOOST_TEST(format_duration(5 * 3600 + 7 * 60 + 29) == "5 h 7 min");
    BOOST_TEST(format_duration(86400 - 31) == "23 h 59 min");
    BOOST_TEST(format_duration(86400 - 29) == "1 d 0 h");
    BOOST_TEST(format_duration(2 * 86400 + 3 * 3600 + 1000) == "2 d 3 h");
    BOOST_TEST(format_duration(86400e4) == "10,000 d 0 h");
    BOOST_TEST(format_duration(-1) == "?");
    BOOST_TEST(format_duration(std::numeric_limits<double>::infinity()) == "?");
    BOOST_TEST(format_duration(std::numeric_limits<double>::quiet_NaN()) == "?");
}

BOOST_AUTO_TEST_CASE(counts_rates_and_shares) {
    BOOST_TEST(format_count(0) == "0");
    BOOST_TEST(format_count(999) == "999");
    BOOST_TEST(format_count(1000) == "1,000");
    BOOST_TEST(format_count(1525738) == "1,525,738");
    BOOST_TEST(format_count(std::numeric_limits<std::uint64_t>::max()) == "18,446,744,073,709,551,615");
    BOOST_TEST(format_rate(0.5234) == "0.52 images/s");
    BOOST_TEST(format_rate(9.996) == "10.0 images/s");
    BOOST_TEST(format_rate(12.34, "rounds") == "12.3 rounds/s");
    BOOST_TEST(format_rate(99.96) == "100 images/s");
    BOOST_TEST(format_rate(1234.4) == "1,234 images/s");
    BOOST_TEST(format_rate(std::numeric_limits<double>::infinity()) == "? images/s");
    BOOST_TEST(format_rate(-1) == "? images/s");
    BOOST_TEST(format_share(0.83449) == "83.4 %");
    BOOST_TEST(format_share(1, 0) == "100 %");
}
