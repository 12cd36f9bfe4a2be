// links: report
// Figures: SVG is well-formed, its marks stand where the CSV's values are, and the scripts draw.
#define BOOST_TEST_MODULE report_figures
#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <skewgrad/report/figures/gnuplot.hpp>
#include <skewgrad/report/figures/svg.hpp>
#include <skewgrad/report/figures/ticks.hpp>
#include <skewgrad/report/page/study_page.hpp>
#include "report/small_report.hpp"
#include "report/xml.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad::report;
using namespace skewgrad_tests;
using boost::property_tree::ptree;

namespace {

ptree parsed(const std::string& xml) {
    std::istringstream in(xml);
    ptree tree;
    read_xml(in, tree);
    return tree;
}
/// A straight line through what two ticks say, as a reader's eye draws it.
struct Scale {
    double at = 0, value = 0, slope = 0;
    explicit Scale(const std::vector<std::pair<double, double>>& ticks)
        : at(ticks.at(0).first), value(ticks[0].second) {
        slope = (ticks.back().second - value) / (ticks.back().first - at);
    }
    double operator()(double place) const { return value + (place - at) * slope; }
};

struct Seen {
    int series;
    double x, y;
};
/// Every mark of a panel, read off its ticks. Categories' names are replaced by their numbers.
std::vector<Seen> read_off(const ptree& panel, bool categories) {
    std::vector<std::pair<double, double>> xs, ys;
    each(panel, [&](const std::string& name, const ptree& e) {
        if (name != "text") return;
        if (attribute(e, "class") == "x-tick")
            xs.emplace_back(std::stod(attribute(e, "x")),
                            categories ? static_cast<double>(xs.size()) : std::stod(e.data()));
        if (attribute(e, "class") == "y-tick") ys.emplace_back(std::stod(attribute(e, "y")), std::stod(e.data()));
    });
    const Scale x(xs), y(ys);
    const double lowered = 3.8;  // a tick's text stands with its middle at its value, so its foot stands below
    std::vector<Seen> seen;
    each(panel, [&](const std::string& name, const ptree& e) {
        if (name != "path" || !attribute(e, "class").starts_with("point s")) return;
        double px = 0, py = 0;
        std::sscanf(attribute(e, "transform").c_str(), "translate(%lf %lf)", &px, &py);
        seen.push_back({std::stoi(attribute(e, "class").substr(7)), x(px), y(py + lowered)});
    });
    return seen;
}

double number(const TableCell& cell) { return std::stod(tables::exact(cell)); }

Figure a_plot() {
    Plot first{
        .title = "one & <only>", .x = category_axis("class", {"a", "b<", "c"}), .y = percent_axis("%"), .series = {}};
    first.series = {{"ours", {palette::blue, Marker::circle}, {{0, 12.5, 10.0, 20.0}, {1, 99.9}, {2, 0}}},
                    {"theirs", {palette::green, Marker::square, false}, {{0, 50}, {2, 61.7}}}};
    Plot second{.title = "",
                .x = round_axis("x", -0.2, 0.7),
                .y = round_axis("y", -3, 11),
                .series = {{"ours",
                            {palette::blue, Marker::circle, true, Line::dashed},
                            {{-.1, -2.25}, {.3, 4}, {.65, 10.5, 9.0, 11.0}}}}};
    return {.name = "a",
            .title = "A 'title'",
            .caption = "",
            .alt = "alt & more",
            .panels = std::vector<Plot>{first, second}};
}
bool has_gnuplot() { return std::system("gnuplot --version > /dev/null 2>&1") == 0; }
boost::test_tools::assertion_result gnuplot_is_there(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result there(has_gnuplot());
    there.message() << "no gnuplot here";
    return there;
}
/// Writes a figure's files and runs its script; what gnuplot said.
std::string drawn(const Figure& figure, const skewgrad_tests::TemporaryFolder& folder) {
    write_whole_file(folder / (figure.name + ".csv"), to_csv(figure_table(figure)));
    write_whole_file(folder / (figure.name + ".gp"), gnuplot_script(figure));
    const std::string said = (folder / "said").string();
    const int status = std::system(
        ("cd '" + folder.path().string() + "' && gnuplot " + figure.name + ".gp > '" + said + "' 2>&1").c_str());
    return read_whole_text(said) + (status == 0 ? "" : "status " + std::to_string(status));
}

}  // namespace

BOOST_AUTO_TEST_CASE(marks_stand_where_the_csv_says) {
    const Figure figure = a_plot();
    const Table table = figure_table(figure);
    const ptree svg = parsed(figure_svg(figure).code());
    std::vector<const ptree*> panels;
    each(svg, [&](const std::string& name, const ptree& e) {
        if (name == "g" && attribute(e, "class") == "panel") panels.push_back(&e);
    });
    BOOST_REQUIRE(panels.size() == 2);
    std::size_t row = 0;
    for (std::size_t p = 0; p < 2; ++p)
        for (const Seen& seen : read_off(*panels[p], p == 0)) {
            const auto& cells = table.rows().at(row++);
            BOOST_TEST(number(cells[0]) == static_cast<double>(p));
            BOOST_TEST(number(cells[1]) == seen.series);
            const auto& plot = std::get<std::vector<Plot>>(figure.panels)[p];
            // Coordinates have two decimals.
            const double unit_x = (plot.x.high - plot.x.low) / 700, unit_y = (plot.y.high - plot.y.low) / 150;
            BOOST_TEST(std::abs(number(cells[2]) + dodge(plot, static_cast<std::size_t>(seen.series)) - seen.x) <
                       unit_x * .05);
            BOOST_TEST(std::abs(number(cells[3]) - seen.y) < unit_y * .05);
        }
    BOOST_TEST(row == table.rows().size());
}

BOOST_AUTO_TEST_CASE(a_figure_says_what_it_is) {
    const std::string code = figure_svg(a_plot()).code();
    const ptree svg = parsed(code);
    BOOST_TEST(attribute(svg.get_child("svg"), "aria-label") == "A 'title'. alt & more");
    BOOST_TEST(attribute(svg.get_child("svg"), "role") == "img");
    for (const char* words : {"one &amp; &lt;only&gt;", ">b&lt;<", ">theirs<", ">class<", ">%<"})
        BOOST_TEST(code.find(words) != code.npos, words);
    BOOST_TEST(figure_svg(a_plot(), false).code().find(">A &#39;title&#39;<") == std::string::npos);
    BOOST_TEST(code.find(">A &#39;title&#39;<") != code.npos);
}

BOOST_AUTO_TEST_CASE(a_heat_maps_cells_are_its_values) {
    HeatMap map{.title = "m",
                .row_title = "r",
                .column_title = "c",
                .rows = {"x", "<y>"},
                .columns = {"a", "b", "c"},
                .values = {0.0, 49.6, 100.0, std::nullopt, .2, 7.0},
                .marked = 1};
    const Figure figure{.name = "map", .title = "M", .caption = "", .alt = "", .panels = std::vector<HeatMap>{map}};
    const ptree svg = parsed(figure_svg(figure).code());
    std::vector<std::string> fills, said;
    each(svg, [&](const std::string& name, const ptree& e) {
        if (name == "rect" && attribute(e, "class") == "cell")
            fills.push_back(attribute(e, "fill")), said.push_back(e.get<std::string>("title"));
    });
    BOOST_REQUIRE(fills.size() == 6);
    BOOST_TEST(fills[0] == "#ffffff");
    BOOST_TEST(fills[2] == "#08306b");
    BOOST_TEST(fills[3] == "#ffffff");
    BOOST_TEST(fills[4] > fills[5]);  // the darker, the more: the first digits are red's
    BOOST_TEST(said[1] == "x, b: 49.6");
    BOOST_TEST(said[3] == "<y>, a: not there");
    const Table table = figure_table(figure);
    BOOST_TEST(table.rows().size() == 6);
    BOOST_TEST(table.rows()[3][3].empty());
    BOOST_TEST(number(table.rows()[5][3]) == 7);
}

BOOST_AUTO_TEST_CASE(axes_hold_their_values_at_round_ticks) {
    for (const auto& [low, high] :
         std::vector<std::pair<double, double>>{{0, 1}, {-3, 11}, {.012, .0123}, {0, 1e6}, {5, 5}, {-1e-9, 1e-9}}) {
        const Axis axis = round_axis("", low, high);
        BOOST_TEST(axis.low <= low);
        BOOST_TEST(axis.high >= high);
        BOOST_TEST(axis.ticks.size() >= 3);
        BOOST_TEST(axis.ticks.size() <= 12);
        for (const Tick& t : axis.ticks)
            BOOST_TEST(std::abs(std::stod(t.label) - t.at) < 1e-6 * (axis.high - axis.low));
    }
}

BOOST_AUTO_TEST_CASE(a_picture_is_a_png_of_its_pixels) {
    Picture picture{"p", 2, 2, {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9}};
    BOOST_TEST(svg::png_of(picture).substr(1, 3) == "PNG");
    BOOST_TEST(svg::base64("any carnal pleas") == "YW55IGNhcm5hbCBwbGVhcw==");  // RFC 4648's own kind of cases
    BOOST_TEST(svg::base64("any carnal pleasu") == "YW55IGNhcm5hbCBwbGVhc3U=");
    BOOST_TEST(svg::base64("any carnal pleasur") == "YW55IGNhcm5hbCBwbGVhc3Vy");
    picture.pixels.pop_back();
    BOOST_CHECK_THROW(svg::png_of(picture), ValueError);
}

// Every figure of a report is drawn by its script, without a word of complaint, whatever the classes are called.
BOOST_AUTO_TEST_CASE(gnuplot_draws_every_figure, *boost::unit_test::precondition(gnuplot_is_there)) {
    const StudyResults results = skewgrad_tests::small_results(2, true);
    const Judgement judgement = skewgrad_tests::judged(results);
    std::vector<Figure> figures = study_page({results, judgement}, {}).figures;
    figures.push_back(a_plot());
    figures.push_back({.name = "picture",
                       .title = "P",
                       .caption = "",
                       .alt = "",
                       .panels = std::vector<Picture>{{"it's", 2, 2, {255, 0, 0, 0, 0, 255, 9, 9, 9, 0, 99, 0}},
                                                      {"that", 2, 2, {255, 0, 0, 0, 0, 255, 9, 9, 9, 0, 99, 0}}}});
    BOOST_TEST(figures.size() > 10);
    for (const Figure& figure : figures) {
        const skewgrad_tests::TemporaryFolder folder;
        BOOST_TEST_CONTEXT(figure.name) { BOOST_TEST(drawn(figure, folder) == ""); }
        const std::string svg = read_whole_text(folder / (figure.name + ".gnuplot.svg"));
        BOOST_CHECK_NO_THROW(parsed(svg));
        BOOST_TEST(svg.find("Gnuplot") != svg.npos);
    }
}
