// Tables in each of their written forms, with the cells that are hard: quotes, bars, nothing, not a number.
#define BOOST_TEST_MODULE report_table
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <locale>
#include <optional>
#include <skewgrad/report/table.hpp>
#include <skewgrad/report/table_json.hpp>
#include <sstream>
#include <string>

using namespace skewgrad;

namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

Table example() {
    Table table({{"class", Align::left}, {"images"}, {"flips, %", Align::right, 1}});
    table.add({"cat", 1000, 69.049});
    table.add({"Sch\u00e4fchen", 7u, std::optional<double>()});
    table.add({"a|b \"c\"\nd", std::int64_t{-3}, -0.04});
    return table;
}

}  // namespace

BOOST_AUTO_TEST_CASE(text_is_aligned) {
    BOOST_TEST(to_text(example()) ==
               "class      images  flips, %\n"
               "---------  ------  --------\n"
               "cat          1000      69.0\n"
               "Sch\u00e4fchen       7         -\n"
               "a|b \"c\" d      -3       0.0\n");
    Table last_is_left({{"n"}, {"note", Align::left}});
    last_is_left.add({1, "x"}).add({22, ""});
    BOOST_TEST(to_text(last_is_left) == " n  note\n--  ----\n 1  x\n22\n");
}

BOOST_AUTO_TEST_CASE(markdown_is_escaped) {
    BOOST_TEST(to_markdown(example()) ==
               "| class      | images | flips, % |\n"
               "| :--------- | -----: | -------: |\n"
               "| cat        |   1000 |     69.0 |\n"
               "| Sch\u00e4fchen  |      7 |        - |\n"
               "| a\\|b \"c\" d |     -3 |      0.0 |\n");
}

// Names come from users' data, and CSV files are opened in spreadsheets.
BOOST_AUTO_TEST_CASE(a_text_that_a_spreadsheet_would_run_is_text) {
    Table table({{"=title", Align::left}, {"n"}});
    table.add({"=HYPERLINK(\"http://x\")", -0.5}).add({"@SUM(A1)", -3}).add({"+1+1", 0}).add({"-1+1", 0});
    table.add({"\t=1", 0}).add({"-0.5", 0}).add({"+3e-2", 0}).add({"-inf", -infinity}).add({"-", 0}).add({"a=1", 0});
    BOOST_TEST(to_csv(table) ==
               "'=title,n\n\"'=HYPERLINK(\"\"http://x\"\")\",-0.5\n'@SUM(A1),-3\n'+1+1,0\n'-1+1,0\n"
               "'\t=1,0\n-0.5,0\n+3e-2,0\n-inf,-inf\n-,0\na=1,0\n");
}

BOOST_AUTO_TEST_CASE(no_terminal_obeys_a_name) {
    Table table({{"class", Align::left}});
    table.add({"cat\x1b[2J\x07\tx"});
    BOOST_TEST(to_text(table) == "class\n----------------\ncat\\x1b[2J\\x07 x\n");
}

BOOST_AUTO_TEST_CASE(csv_is_quoted_and_exact) {
    BOOST_TEST(to_csv(example()) ==
               "class,images,\"flips, %\"\n"
               "cat,1000,69.049\n"
               "Sch\u00e4fchen,7,\n"
               "\"a|b \"\"c\"\"\nd\",-3,-0.04\n");
    Table numbers({{"a"}, {"b"}, {"c"}, {"d"}});
    numbers.add({0.1, 0.1f, 1e300, std::numeric_limits<std::uint64_t>::max()});
    numbers.add({1.0 / 3, 1.0f / 3, 5e-324, std::numeric_limits<std::int64_t>::min()});
    numbers.add({not_a_number, -not_a_number, infinity, -infinity});
    BOOST_TEST(to_csv(numbers) ==
               "a,b,c,d\n"
               "0.1,0.1,1e+300,18446744073709551615\n"
               "0.3333333333333333,0.33333334,5e-324,-9223372036854775808\n"
               "nan,nan,inf,-inf\n");
    Table one({{"only"}});
    one.add({""}).add({"x"});
    BOOST_TEST(to_csv(one) == "only\n\"\"\nx\n");
    Table returns({{"a"}, {"b"}});
    returns.add({"x\ry", " y "});
    BOOST_TEST(to_csv(returns) == "a,b\n\"x\ry\", y \n");
}

BOOST_AUTO_TEST_CASE(json_keeps_order_and_values) {
    BOOST_TEST(to_json(example()).dump() == R"([{"class":"cat","images":1000,"flips, %":69.049},)"
                                            "{\"class\":\"Sch\u00e4fchen\",\"images\":7,\"flips, %\":null},"
                                            R"({"class":"a|b \"c\"\nd","images":-3,"flips, %":-0.04}])");
    Table hard({{"a"}, {"b"}, {"c"}, {"d"}});
    hard.add({not_a_number, infinity, -std::numeric_limits<float>::infinity(), 0.1f});
    BOOST_TEST(to_json(hard).dump() == R"([{"a":null,"b":"inf","c":"-inf","d":0.1}])");
    BOOST_TEST(to_json(Table({{"a"}})).dump() == "[]");
    BOOST_CHECK_THROW((void)to_json(Table({{"a"}, {"a"}})), ValueError);
}

BOOST_AUTO_TEST_CASE(rows_that_do_not_fit_are_named) {
    Table table({{"a"}, {"b"}});
    table.add({1, 2});
    try {
        table.add({1});
        BOOST_TEST(false);
    } catch (const ValueError& error) {
        BOOST_TEST(std::string(error.what()) == "row 1 of a table of 2 columns has 1 cells");
    }
    BOOST_TEST(table.rows().size() == 1u);
    BOOST_CHECK_THROW(Table({}), ValueError);
}

// Rows that are kept nowhere are written as a table's are.
BOOST_AUTO_TEST_CASE(rows_are_written_as_they_come) {
    const Table table = example();
    std::ostringstream text;
    CsvRows rows(text, table.columns());
    for (const auto& row : table.rows()) rows.add(row);
    BOOST_TEST(text.str() == to_csv(table));
    BOOST_CHECK_THROW(rows.add({1}), ValueError);
    BOOST_TEST(text.str() == to_csv(table));
}

BOOST_AUTO_TEST_CASE(fixed_decimals) {
    BOOST_TEST(fixed(2.5, 0) == "2");
    BOOST_TEST(fixed(3.5, 0) == "4");
    BOOST_TEST(fixed(1.005, 2) == "1.00");  // the double lies below 1.005
    BOOST_TEST(fixed(-0.001, 2) == "0.00");
    BOOST_TEST(fixed(-0.006, 2) == "-0.01");
    BOOST_TEST(fixed(-0.0, 1) == "0.0");
    BOOST_TEST(fixed(1e22, 1) == "10000000000000000000000.0");
    BOOST_TEST(fixed(-std::numeric_limits<double>::max(), 100).size() == 1u + 309 + 1 + 100);
    BOOST_TEST(fixed(0.1, -3) == "0");
    BOOST_TEST(fixed(not_a_number, 2) == "nan");
    BOOST_TEST(fixed(-infinity, 2) == "-inf");
}

BOOST_AUTO_TEST_CASE(no_locale_changes_a_number) {
    struct Commas : std::numpunct<char> {
        char do_decimal_point() const override { return ','; }
        char do_thousands_sep() const override { return '.'; }
        std::string do_grouping() const override { return "\3"; }
    };
    const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
    const std::string text = to_text(example()), csv = to_csv(example());
    std::locale::global(before);
    BOOST_TEST(text == to_text(example()));
    BOOST_TEST(csv == to_csv(example()));
}

BOOST_AUTO_TEST_CASE(widths_count_code_points) {
    BOOST_TEST(text_width("") == 0);
    BOOST_TEST(text_width("\u00e4\u2013b") == 3);
    BOOST_TEST(cut_to_width("\u00e4\u2013b", 2) == "\u00e4\u2013");
    BOOST_TEST(cut_to_width("\u00e4\u2013b", 0) == "");
    BOOST_TEST(cut_to_width("\u00e4\u2013b", 9) == "\u00e4\u2013b");
    BOOST_TEST(padded("\u00e4", 3, Align::right) == "  \u00e4");
    BOOST_TEST(padded("abc", 2, Align::left) == "abc");
}
