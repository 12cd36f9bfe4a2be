// links: report
// The report in a real browser: it renders, its console stays silent, and it asks the network for nothing.
#define BOOST_TEST_MODULE report_browser
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "report/small_report.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;

namespace {

/// The browser's name; empty where there is none.
std::string browser() {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
        if (std::system((std::string(name) + " --version > /dev/null 2>&1").c_str()) == 0) return name;
    return {};
}
boost::test_tools::assertion_result there_is_a_browser(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result there(!browser().empty());
    there.message() << "no chromium here";
    return there;
}

int count(const std::string& text, const std::string& part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++n;
    return n;
}

/// A page as a browser without screen and network saw it.
struct PageVisit {
    std::string dom, console;
    int requests = 0;  ///< that the page made; the browser's own have no origin

    explicit PageVisit(const std::filesystem::path& page) {
        const skewgrad_tests::TemporaryFolder folder;
        const auto file = [&](const char* name) { return (folder / name).string(); };
        const std::string command =
            browser() +
            " --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
            " --proxy-server=127.0.0.1:9 --virtual-time-budget=5000 --enable-logging=stderr"
            " --user-data-dir='" +
            file("profile") + "' --log-net-log='" + file("net.json") + "' --dump-dom 'file://" + page.string() +
            "' > '" + file("dom") + "' 2> '" + file("said") + "'";
        BOOST_REQUIRE(std::system(command.c_str()) == 0);
        dom = read_whole_text(file("dom"));
        const std::string said = read_whole_text(file("said"));
        for (std::size_t at = said.find("CONSOLE"); at != said.npos; at = said.find("CONSOLE", at + 1))
            console += said.substr(at, said.find('\n', at) - at) + "\n";
        const std::string net = read_whole_text(file("net.json"));
        BOOST_REQUIRE(net.find("\"constants\"") != net.npos);
        requests = count(net, "\"initiator\":\"") - count(net, "\"initiator\":\"not an origin\"");
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_report_renders_alone, *boost::unit_test::precondition(there_is_a_browser)) {
    const StudyResults results = skewgrad_tests::small_results(1, true);
    const skewgrad_tests::TemporaryFolder folder;
    const PageVisit visit(report::write_report(results, skewgrad_tests::judged(results), folder.path()));
    BOOST_TEST(visit.console == "");
    BOOST_TEST(visit.requests == 0);
    BOOST_TEST(count(visit.dom, "<figure") > 8);
    BOOST_TEST(count(visit.dom, "<svg") == count(visit.dom, "<figure"));
    BOOST_TEST(count(visit.dom, "<table") > 8);
    BOOST_TEST(visit.dom.find("id=\"files\"") != std::string::npos);  // the last section is there as well
}

// What the test above would not see, it would not test.
BOOST_AUTO_TEST_CASE(a_page_that_fetches_and_fails_is_seen, *boost::unit_test::precondition(there_is_a_browser)) {
    const skewgrad_tests::TemporaryFolder folder;
    write_whole_file(folder / "bad.html",
                     "<!DOCTYPE html><title>bad</title><img src=\"http://127.0.0.1:9/x.png\"><script>none();</script>");
    const PageVisit visit(folder / "bad.html");
    BOOST_TEST(visit.console.find("none is not defined") != std::string::npos);
    BOOST_TEST(visit.requests > 0);
}
