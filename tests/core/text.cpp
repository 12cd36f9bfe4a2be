// Text from outside: what is UTF-8, and how it is shown.
#define BOOST_TEST_MODULE core_text
#include <boost/test/unit_test.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/core/text.hpp>
#include <string>

using namespace skewgrad;

static_assert(first_not_utf8("plain") == std::string_view::npos);
static_assert(first_not_utf8("caf\xe9") == 3);  // Latin-1

BOOST_AUTO_TEST_CASE(utf8_is_what_unicode_calls_well_formed) {
    constexpr std::size_t all = std::string_view::npos;
    BOOST_TEST(first_not_utf8("") == all);
    BOOST_TEST(first_not_utf8("é, 日本, 🐈") == all);
    BOOST_TEST(first_not_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf") == all);  // beside the gaps
    BOOST_TEST(first_not_utf8("ab\x80") == 2u);                                     // a tail without a head
    BOOST_TEST(first_not_utf8("\xc3") == 0u);                                       // a head without a tail
    BOOST_TEST(first_not_utf8("\xc0\x80") == 0u);                                   // overlong
    BOOST_TEST(first_not_utf8("\xe0\x9f\xbf") == 0u);
    BOOST_TEST(first_not_utf8("\xf0\x8f\xbf\xbf") == 0u);
    BOOST_TEST(first_not_utf8("\xed\xa0\x80") == 0u);  // half of a surrogate pair
    BOOST_TEST(first_not_utf8("\xf4\x90\x80\x80") == 0u);
    BOOST_TEST(first_not_utf8("\xff") == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_terminal_would_obey_stands_as_an_escape) {
    BOOST_TEST(printable("a \"b\" \\ é 🐈") == "a \"b\" \\ é 🐈");
    BOOST_TEST(printable("\x1b[2Jgone\n\r\t\x7f") == "\\x1b[2Jgone\\x0a\\x0d\\x09\\x7f");
    BOOST_TEST(printable("\xc2\x9b"
                         "31m") == "\\x9b31m");  // a control sequence's beginning in one code point
    BOOST_TEST(printable("exe\u202etxt\u2066") == "exe\\u202etxt\\u2066");
    BOOST_TEST(printable("caf\xe9") == "caf\\xe9");
    BOOST_TEST(printable(std::string("a\0b", 3)) == "a\\x00b");
}

BOOST_AUTO_TEST_CASE(long_text_is_cut_between_code_points) {
    BOOST_TEST(printable("abcdef", 6) == "abcdef");
    BOOST_TEST(printable("abcdefg", 6) == "abcdef...");
    BOOST_TEST(printable("aéé", 4) == "aé...");
    BOOST_TEST(printable("abc\x1b", 5) == "abc...");
    BOOST_TEST(in_quotes("cat") == "\"cat\"");
    BOOST_TEST(in_quotes(std::string(100'000, 'x')).size() < 100u);
}

BOOST_AUTO_TEST_CASE(every_error_is_one_printable_line) {
    const std::string name = "cat\x1b]0;owned\a\n";
    const std::string shown = "cat\\x1b]0;owned\\x07\\x0a";
    BOOST_TEST(std::string(ValueError("no class " + name).what()) == "no class " + shown);
    BOOST_TEST(std::string(NumericalError(name).what()) == shown);
    const FileError error(name, "is odd");
    BOOST_TEST(std::string(error.what()) == shown + ": is odd");
    BOOST_TEST(error.file() == name);
}
