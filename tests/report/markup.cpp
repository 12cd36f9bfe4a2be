// links: report
// Markup: nothing that comes in as text can leave as code.
#define BOOST_TEST_MODULE report_markup
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>

#include <skewgrad/report/markup/element.hpp>

using namespace skewgrad::report;

namespace {

boost::property_tree::ptree parsed(const Markup& m) {
    std::istringstream in(m.code());
    boost::property_tree::ptree tree;
    read_xml(in, tree);
    return tree;
}

}  // namespace

BOOST_AUTO_TEST_CASE(text_is_escaped_once) {
    BOOST_TEST(Markup("<b>&amp;\"'").code() == "&lt;b&gt;&amp;amp;&quot;&#39;");
    BOOST_TEST(element("p", "a < b").code() == "<p>a &lt; b</p>");
    BOOST_TEST(element("p", element("b", "<")).code() == "<p><b>&lt;</b></p>");
    BOOST_TEST((Markup("<") + element("br", Attributes{})).code() == "&lt;<br/>");
}

BOOST_AUTO_TEST_CASE(attributes_hold_anything_and_numbers_two_decimals) {
    const Markup m = element("a", {{"title", "\" onload=\"alert(1)"}, {"x", 1.0 / 3}}, "");
    BOOST_TEST(m.code() == "<a title=\"&quot; onload=&quot;alert(1)\" x=\"0.33\"></a>");
    BOOST_TEST(parsed(m).get<std::string>("a.<xmlattr>.title") == "\" onload=\"alert(1)");
}

BOOST_AUTO_TEST_CASE(what_no_document_may_hold_is_replaced) {
    const std::string replaced = "\xef\xbf\xbd";
    BOOST_TEST(Markup("\x01").code() == replaced);
    BOOST_TEST(Markup("a\tb\n").code() == "a\tb\n");
    BOOST_TEST(Markup("→ é 😀").code() == "→ é 😀");
    BOOST_TEST(Markup("\xff").code() == replaced);
    BOOST_TEST(Markup("\xc3").code() == replaced);                                // cut short
    BOOST_TEST(Markup("\xc0\xaf").code() == replaced + replaced);                 // "/" in two bytes
    BOOST_TEST(Markup("\xed\xa0\x80").code() == replaced + replaced + replaced);  // a surrogate
    BOOST_TEST(Markup("\xef\xbf\xbf").code() == replaced + replaced + replaced);  // U+FFFF
    BOOST_TEST(Markup("\xc3<").code() == replaced + "&lt;");
    BOOST_TEST(Markup(std::string_view("a\0b", 3)).code() == "a" + replaced + "b");
}
