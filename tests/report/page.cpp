// links: report
// The report's page: every number is its CSV's, names are escaped, what is missing is said, a failed check is loud.
#define BOOST_TEST_MODULE report_page
#include <algorithm>
#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "report/small_report.hpp"
#include "report/xml.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad::report;
using namespace skewgrad_tests;
using boost::property_tree::ptree;

namespace {

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// RFC 4180.
std::vector<std::vector<std::string>> rows_of(const std::string& csv) {
    std::vector<std::vector<std::string>> rows(1, std::vector<std::string>(1));
    bool quoted = false;
    for (std::size_t i = 0; i < csv.size(); ++i) {
        const char c = csv[i];
        if (c == '"' && quoted && i + 1 < csv.size() && csv[i + 1] == '"')
            rows.back().back() += csv[++i];
        else if (c == '"')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            rows.back().emplace_back();
        else if (c == '\n' && !quoted)
            rows.emplace_back(1);
        else
            rows.back().back() += c;
    }
    rows.pop_back();
    return rows;
}

/// A report in a folder of its own, and its page as a tree: that it is well-formed is checked by the way.
struct Written {
    skewgrad_tests::TemporaryFolder folder;
    std::string html;
    ptree page;

    explicit Written(const StudyResults& results) : Written(results, skewgrad_tests::judged(results)) {}
    Written(const StudyResults& results, const Judgement& judgement) {
        const auto at =
            write_report(results, judgement, folder / "deep", {.command = "run --name \"<x>\"", .date = "2001-02-03"});
        BOOST_TEST(at == folder / "deep" / "report.html");
        html = read_whole_text(at);
        std::istringstream in(html);
        read_xml(in, page);
    }
    std::string file(const std::string& name) const { return read_whole_text(folder.path() / "deep" / name); }
};

/// What a table shows under a column's title in a row, against the CSV. Returns how many values were compared.
int compare(const ptree& table, const Written& written) {
    const auto csv = rows_of(written.file(attribute(table, "data-csv")));
    const auto column_of = [&](const std::string& title) {
        const auto found = std::find(csv[0].begin(), csv[0].end(), title);
        BOOST_REQUIRE_MESSAGE(found != csv[0].end(), "no column " + title);
        return static_cast<std::size_t>(found - csv[0].begin());
    };
    int compared = 0;
    std::size_t row = 0;
    for (const auto& [name, tr] : table.get_child("tbody")) {
        if (name != "tr") continue;
        ++row;
        BOOST_REQUIRE(row < csv.size());
        for (const auto& [kind, td] : tr) {
            if (kind != "td" && kind != "th") continue;
            int in_cell = 0;
            each(td, [&](const std::string& element, const ptree& e) {
                if (attribute(e, "data-column").empty()) return;
                const std::string& exact = csv[row].at(column_of(attribute(e, "data-column")));
                ++in_cell;
                if (element == "span") {
                    std::string line = exact;
                    std::replace(line.begin(), line.end(), '\n', ' ');
                    BOOST_TEST(e.data() == line);
                } else if (exact.empty()) {
                    BOOST_TEST(e.data() == "–");
                } else {
                    BOOST_TEST(attribute(e, "value") == exact);
                    const std::string& shown = e.data();
                    const std::size_t point = shown.find('.');
                    const double last =
                        point == shown.npos ? 1 : std::pow(10, -static_cast<double>(shown.size() - point - 1));
                    BOOST_TEST(std::abs(std::stod(shown) - std::stod(exact)) <= .5000001 * last);
                }
            });
            BOOST_TEST(in_cell > 0);  // nothing stands in a table that has no CSV
            compared += in_cell;
        }
    }
    BOOST_TEST(row + 1 == csv.size());  // and no row of it is missing
    return compared;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_number_of_every_table_is_its_csvs) {
    for (const int seeds : {1, 2}) {
        const Written written(skewgrad_tests::small_results(seeds, seeds == 2));
        std::map<std::string, int> compared;
        each(written.page, [&](const std::string& name, const ptree& e) {
            if (name == "table") compared[attribute(e, "data-csv")] = compare(e, written);
        });
        for (const char* table : {"table_1", "matched_flips", "confusion_flow", "square", "controls", "claims",
                                  "claim_seeds", "claim_class_means", "claims_beside", "self_checks", "trainings"})
            BOOST_TEST(compared["tables/" + std::string(table) + ".csv"] > 0, table);
        BOOST_TEST((compared["tables/dose.csv"] > 0) == (seeds == 2));
        BOOST_TEST(!compared.contains("tables/paper_cells.csv"));  // these classes are not the paper's
        BOOST_TEST(std::filesystem::exists(written.folder.path() / "deep" / "tables" / "claim_classes.csv"));
    }
}

// Table 1, again from the records themselves.
BOOST_AUTO_TEST_CASE(table_1_is_what_the_records_say) {
    const StudyResults results = skewgrad_tests::small_results(1);
    const Written written(results);
    const auto csv = rows_of(written.file("tables/table_1.csv"));
    const auto cells = cells_of(results, claims::Method::fast, claims::Kind::under, Source::different_model);
    const auto column =
        static_cast<std::size_t>(std::find(csv[0].begin(), csv[0].end(), "different/under") - csv[0].begin());
    for (std::size_t c = 0; c < 4; ++c) {
        const CellSummary s = summary(results, cells[c]);
        BOOST_TEST(std::stod(csv[c + 1].at(column)) == 100 * s.attacked.value());
        BOOST_TEST(std::stod(csv[c + 1].at(column + 1)) == 100 * s.attacked_interval.low);
        BOOST_TEST(std::stod(csv[c + 1].at(column + 2)) == 100 * s.attacked_interval.high);
    }
}

// The doses, again from the records themselves: counts ascend to the balanced network's, which flips no more than it.
BOOST_AUTO_TEST_CASE(doses_are_what_the_records_say) {
    const StudyResults results = skewgrad_tests::small_results(1, true);
    const Written written(results);
    const auto csv = rows_of(written.file("tables/dose.csv"));
    const auto value = [&](std::size_t row, const std::string& title) {
        const auto column = std::find(csv[0].begin(), csv[0].end(), title) - csv[0].begin();
        return csv.at(row).at(static_cast<std::size_t>(column));
    };
    BOOST_REQUIRE(csv.size() == 5);
    for (std::size_t row = 1; row < csv.size(); ++row) {
        BOOST_TEST(value(row, "class") == "dog");
        const int count = std::vector{1, 4, 8, 20}[row - 1];
        BOOST_TEST(value(row, "images") == std::to_string(count));
        int found = 0;
        for (std::size_t i = 0; i < results.cells.size(); ++i) {
            const PlannedCell& cell = results.plan.cells[i];
            const auto& victim = results.plan.trainings[cell.victim].name;
            const auto& attack = results.plan.attacks[cell.attack].name;
            if (!victim || cell.from != Source::same_model || index(cell.attacked_class) != 3 || !attack ||
                attack->method != claims::Method::fast || results.trainings[cell.victim].counts[3] != count ||
                (victim->kind != claims::Kind::balanced && victim->kind != claims::Kind::under))
                continue;
            ++found;
            const CellSummary s = summary(results, i);
            BOOST_TEST(std::stod(value(row, "clean")) == 100 * s.clean.value());
            BOOST_TEST(std::stod(value(row, "attacked")) == 100 * s.attacked.value());
        }
        BOOST_TEST(found == 1);
    }
    BOOST_TEST(value(4, "flips") == value(4, "flips of balanced"));
    BOOST_TEST(value(4, "more flips") == "0");
    BOOST_TEST(
        holds(Written(skewgrad_tests::small_results(1)).html, "Not run: --dose cuts a class to further counts."));
}

namespace {

const StudyResults& papers_results() {
    static const StudyResults results = skewgrad_tests::small_results<10>(2, false, skewgrad_tests::papers_names);
    return results;
}
std::size_t column_of(const std::vector<std::vector<std::string>>& csv, const std::string& title) {
    const auto found = std::find(csv[0].begin(), csv[0].end(), title);
    BOOST_REQUIRE_MESSAGE(found != csv[0].end(), "no column " + title);
    return static_cast<std::size_t>(found - csv[0].begin());
}
/// The average that stands in a table's last row, against the mean of the rows of these classes.
void check_average(const std::vector<std::vector<std::string>>& csv, const std::string& title,
                   const std::vector<std::size_t>& classes) {
    const std::size_t column = column_of(csv, title);
    double sum = 0;
    for (const std::size_t c : classes) sum += std::stod(csv.at(c + 1).at(column));
    BOOST_TEST(std::stod(csv.back().at(column)) == sum / static_cast<double>(classes.size()),
               boost::test_tools::tolerance(1e-9));
}
const std::vector<std::size_t> all_but_bird{0, 1, 3, 4, 5, 6, 7, 8, 9};

}  // namespace

// Of a study that attacks some classes, the paper's average is over the same ones.
BOOST_AUTO_TEST_CASE(the_papers_average_is_over_the_classes_studied) {
    const StudyResults& results = papers_results();
    StudyResults part = results;
    part.plan.cells.clear();
    std::vector<std::size_t> cells;
    for (std::size_t i = 0; i < results.cells.size(); ++i)
        if (const int c = index(results.plan.cells[i].attacked_class); c == 0 || c == 2) {
            part.plan.cells.push_back(results.plan.cells[i]);
            cells.push_back(i);
        }
    part.cells = results.cells.select(cells);
    const auto average = [](const StudyResults& of) {
        const auto csv = rows_of(Written(of).file("tables/table_1.csv"));
        BOOST_TEST(csv.back()[0] == "average");
        return std::stod(csv.back().at(column_of(csv, "same/under paper")));
    };
    const auto& paper = paper::class_accuracy;
    BOOST_TEST(average(part) == (paper[0].same_under + paper[2].same_under) / 2);
    BOOST_TEST(average(results) == 14.17, boost::test_tools::tolerance(1e-9));
}

// One cell of Table 1 is not there: its class leaves the average of every column, of the paper's, and of the headline.
BOOST_AUTO_TEST_CASE(a_class_that_one_column_lacks_leaves_all_averages_by_name) {
    StudyResults results = papers_results();
    constexpr claims::KindName under{claims::Kind::under};
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const PlannedCell& cell = results.plan.cells[i];
        const auto& victim = results.plan.trainings[cell.victim].name;
        if (index(cell.attacked_class) == 2 && victim == under && cell.from == Source::same_model)
            results.cells.put(i, {});
    }
    const Written written(results);
    const auto csv = rows_of(written.file("tables/table_1.csv"));
    BOOST_TEST(csv.back()[0] == "average without bird");
    for (const std::string kind : {"balanced", "under", "over"})
        for (const std::string source : {"same/", "different/"}) check_average(csv, source + kind, all_but_bird);
    check_average(csv, "same/under paper", all_but_bird);
    check_average(csv, "same/balanced paper", all_but_bird);
    BOOST_TEST(holds(written.html, "Averages are without bird (same/under, not run)."));
    // The same quantity has one value, in the headline and in the table of controls too.
    const auto controls = rows_of(written.file("tables/controls.csv"));
    const double balanced = std::stod(csv.back().at(column_of(csv, "same/balanced")));
    BOOST_TEST(std::stod(controls[1].at(column_of(controls, "fast"))) == balanced, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(holds(controls[1].at(column_of(controls, "left out")), "bird ("));
    BOOST_TEST(holds(written.html, "→ " + fixed(balanced, 1) + " %"));
    double papers = 0;
    for (const std::size_t c : all_but_bird) papers += paper::class_accuracy[c].clean_balanced / 9;
    BOOST_TEST(holds(written.html, "over the same classes: " + fixed(papers, 1) + " → "));
    // And the text tables'.
    const Table text = report::table_1(results);
    BOOST_TEST(std::get<std::string>(text.rows().back()[0].value()) == "average without bird");
    BOOST_TEST(std::get<double>(text.rows().back()[6].value()) == balanced, boost::test_tools::tolerance(1e-9));
    const TitledTable left = report::controls(results);
    BOOST_TEST(holds(left.title, "without bird ("));
    BOOST_TEST(std::get<double>(left.table.rows()[0][3].value()) == balanced, boost::test_tools::tolerance(1e-9));
}

// Bird has too few images that all four networks of seed 2 get right: it leaves the square's average, and both seeds
// stay in it. Before, the average was seed 1's alone.
BOOST_AUTO_TEST_CASE(a_class_that_one_seed_lacks_leaves_the_squares_average_for_all_seeds) {
    StudyResults results = papers_results();
    const auto answer = [&](int c, std::uint64_t seed, std::size_t right) {
        for (std::size_t i = 0; i < results.cells.size(); ++i) {
            const PlannedCell& cell = results.plan.cells[i];
            if (index(cell.attacked_class) != c || results.plan.trainings[cell.victim].seed.value != seed) continue;
            const CellHandle cell_there = results.cells[i];
            CellResult changed = cell_there->result();
            for (std::size_t n = 0; n < changed.images.size(); ++n)
                changed.images[n].clean.predicted = Prediction(n < right ? c : (c + 1) % 10);
            results.cells.put(i, std::move(changed));
        }
    };
    for (int c = 0; c < 10; ++c)
        for (const std::uint64_t seed : {1u, 2u}) answer(c, seed, c == 2 && seed == 2 ? 49 : 60);
    const Written written(results);
    const auto csv = rows_of(written.file("tables/square.csv"));
    BOOST_TEST(csv.back()[0] == "average without bird");
    for (const char* column : {"balanced", "under", "over", "scarce", "own scarcity", "others' scarcity", "skew"}) {
        BOOST_TEST(csv[3].at(column_of(csv, column)).empty());
        check_average(csv, column, all_but_bird);
        BOOST_TEST(!csv.back().at(column_of(csv, std::string(column) + " low")).empty());  // an interval over two seeds
    }
    BOOST_TEST(holds(written.html, "bird (balanced, seed 2: 49 images)"));
    // A claim says the same: C1 of bird is gone for both seeds.
    const auto claims = rows_of(written.file("tables/claims.csv"));
    BOOST_TEST(holds(claims[2].at(column_of(claims, "left out")), "bird (seed 2: 49 images)"));
}

// The paper's numbers go by the names of CIFAR-10's classes: with others nothing of it stands anywhere.
BOOST_AUTO_TEST_CASE(the_papers_numbers_stand_beside_its_classes_alone) {
    const StudyResults other = skewgrad_tests::small_results(2, true);
    const Written written(other);
    int files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(written.folder.path())) {
        if (!entry.is_regular_file() || entry.path().extension() == ".gp") continue;
        ++files;
        const std::string text = read_whole_text(entry.path());
        for (const char* theirs :
             {"airplane", "truck", " paper\n", "same/under paper", ", paper", "The paper, on CIFAR-10"})
            BOOST_TEST(!holds(text, theirs), entry.path().string() + ": " + theirs);
    }
    BOOST_TEST(files > 40);
    BOOST_TEST(!std::filesystem::exists(written.folder.path() / "deep" / "tables" / "paper_cells.csv"));
    for (const auto& [title, table] : all_tables_and_claims(other, skewgrad_tests::judged(other)))
        for (const TableColumn& column : table.columns())
            BOOST_TEST((column.title != "paper" || table.rows().empty()), title);
    // In another order each class has its own number all the same.
    StudyResults shuffled = papers_results();
    std::reverse(shuffled.class_names.begin(), shuffled.class_names.end());
    const Written turned(shuffled);
    const auto csv = rows_of(turned.file("tables/table_1.csv"));
    BOOST_TEST(csv[1][0] == "truck");
    BOOST_TEST(std::stod(csv[1].at(column_of(csv, "same/under paper"))) == 21);
    BOOST_TEST(std::stod(csv[7].at(column_of(csv, "same/under paper"))) == 0.5);  // cat
    BOOST_TEST(std::filesystem::exists(turned.folder.path() / "deep" / "tables" / "paper_cells.csv"));
    const Table text = report::table_1(shuffled);
    BOOST_TEST(std::get<double>(text.rows()[0][9].value()) == 21);
    const auto figure = rows_of(turned.file("figures/figure_1.csv"));
    BOOST_TEST(figure[0].size() > 3u);
    const HeatMap theirs =
        std::get<std::vector<HeatMap>>(figure_1_maps({shuffled, skewgrad_tests::judged(shuffled)}).panels)[1];
    BOOST_TEST(theirs.rows[0] == "truck");
    BOOST_TEST(theirs.values[0].value() == 93, boost::test_tools::tolerance(1e-9));
    BOOST_TEST(theirs.values[8].value() == 1.9, boost::test_tools::tolerance(1e-9));  // trucks taken for automobiles
}

BOOST_AUTO_TEST_CASE(one_seed_has_no_interval_over_seeds) {
    const Written one(skewgrad_tests::small_results(1)), two(skewgrad_tests::small_results(2));
    BOOST_TEST(holds(one.html, "Wilson&#39;s 95 % intervals over images"));
    BOOST_TEST(!holds(one.html, "Student&#39;s 95 % intervals over"));
    BOOST_TEST(holds(two.html, "Student&#39;s 95 % intervals over 2 seeds"));
    const auto of_one = rows_of(one.file("tables/table_1.csv")), of_two = rows_of(two.file("tables/table_1.csv"));
    BOOST_TEST(of_one.back()[0] == "average");
    BOOST_TEST(!of_one[1][2].empty());
    BOOST_TEST(!of_one.back()[1].empty());
    BOOST_TEST(of_one.back()[2].empty());  // an average of one seed's classes
    BOOST_TEST(!of_two.back()[2].empty());
    for (const auto& row : rows_of(one.file("tables/claims.csv"))) BOOST_TEST((row[0] == "claim" || row[4].empty()));
}

BOOST_AUTO_TEST_CASE(names_cannot_become_code) {
    const Written written(skewgrad_tests::small_results(1));
    BOOST_TEST(!holds(written.html, "<script"));
    BOOST_TEST(holds(written.html, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;co&quot;"));
    BOOST_TEST(holds(written.html, "run --name &quot;&lt;x&gt;&quot;"));
    BOOST_TEST(holds(written.html, "as &lt;written&gt;"));
    BOOST_TEST(holds(written.html, "2001-02-03"));
    BOOST_TEST(holds(written.html, "<dt>begun</dt><dd>20"));
}

// Links lead to files that are there; nothing else refers to anything outside the page.
BOOST_AUTO_TEST_CASE(the_page_stands_alone) {
    const Written written(skewgrad_tests::small_results(1));
    int links = 0;
    std::vector<std::string> ids, anchors;
    each(written.page, [&](const std::string& name, const ptree& e) {
        if (const std::string id = attribute(e, "id"); !id.empty()) ids.push_back(id);
        BOOST_TEST(attribute(e, "src").empty());
        for (const char* never : {"script", "link", "iframe", "object", "img", "base"}) BOOST_TEST(name != never);
        const std::string href = attribute(e, "href");
        if (name == "image") BOOST_TEST(href.starts_with("data:image/png;base64,"));
        if (name != "a") return;
        ++links;
        if (href.starts_with("#"))
            anchors.push_back(href.substr(1));
        else
            BOOST_TEST(std::filesystem::is_regular_file(written.folder.path() / "deep" / href), href);
    });
    BOOST_TEST(links > 50);
    for (const std::string& anchor : anchors) BOOST_TEST(std::count(ids.begin(), ids.end(), anchor) == 1, anchor);
    for (const char* fetches : {"url(", "@import", "http:"}) {
        std::string rest = written.html;
        for (std::size_t at; (at = rest.find("http://www.w3.org/2000/svg")) != rest.npos;)
            rest.erase(at, 26);  // a name, no address
        BOOST_TEST(!holds(rest, fetches), fetches);
    }
}

BOOST_AUTO_TEST_CASE(every_figure_has_what_a_figure_needs) {
    const StudyResults results = skewgrad_tests::small_results(2, true);
    const Judgement judgement = skewgrad_tests::judged(results);
    const Page page = study_page({results, judgement}, {});
    const Written written(results, judgement);
    for (const Figure& figure : page.figures) {
        BOOST_TEST(!figure.title.empty());
        BOOST_TEST(figure.caption.size() > 60, figure.name);
        BOOST_TEST((holds(figure.caption, "interval") && holds(figure.caption, "image")), figure.name);
        BOOST_TEST(figure.alt.size() > 20, figure.name);
        if (const auto* plots = std::get_if<std::vector<Plot>>(&figure.panels))
            for (const Plot& plot : *plots) BOOST_TEST((!plot.x.title.empty() && !plot.y.title.empty()), figure.name);
        for (const char* ending : {".svg", ".csv", ".gp"})
            BOOST_TEST(!written.file("figures/" + figure.name + ending).empty());
        BOOST_TEST(written.file("figures/" + figure.name + ".csv") == to_csv(figure_table(figure)));
        std::istringstream svg(written.file("figures/" + figure.name + ".svg"));
        ptree tree;
        BOOST_CHECK_NO_THROW(read_xml(svg, tree));
    }
    for (const char* name : {"table_1", "figure_1", "figure_2", "figure_3", "figure_4", "figure_5", "figure_6",
                             "epsilon_curves", "square", "dose", "confusion_flow", "transfer", "controls", "claims"})
        BOOST_TEST(
            std::any_of(page.figures.begin(), page.figures.end(), [&](const Figure& f) { return f.name == name; }),
            name);
}

BOOST_AUTO_TEST_CASE(pictures_are_of_the_attack) {
    const StudyResults results = skewgrad_tests::small_results(1);
    BOOST_REQUIRE(results.pictures.size() == 4);
    const TestData test(skewgrad_tests::noisy_store("noise test", 120, 4));
    for (std::size_t n = 0; n < 4; ++n) {
        const AttackedPicture& p = results.pictures[n];
        BOOST_TEST(index(p.label) == static_cast<int>(n));
        BOOST_TEST(index(test.select({p.item}).label(0)) == static_cast<int>(n));
        const auto pixels = test.select({p.item}).images();
        float farthest = 0;
        for (std::size_t i = 0; i < p.clean.size(); ++i) {
            BOOST_TEST(p.clean[i] == pixels.data()[i]);
            farthest = std::max(farthest, std::abs(p.attacked[i] - p.clean[i]));
        }
        BOOST_TEST(farthest == .04f, boost::test_tools::tolerance(1e-4f));
        // The same answer as the cell's record of that image has.
        const CellHandle cell =
            results.cells[cells_of(results, claims::Method::fast, claims::Kind::balanced, Source::same_model)[n]];
        for (const ImageRecord& i : cell->images)
            if (i.item == p.item) BOOST_TEST((i.attacked.predicted == p.after && i.clean.predicted == p.before));
    }
    StudyResults without = results;
    without.pictures.clear();
    BOOST_TEST(holds(Written(without).html, "Figure 3, images and what the attack makes of them: not shown"));
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_said) {
    StudyResults results = skewgrad_tests::small_results(1);
    const Written whole(results);
    BOOST_TEST(holds(whole.html, "Not run: --transfer"));
    BOOST_TEST(holds(whole.html, "balanced sets as large as the under- and over-sampled ones: --size-matched"));
    BOOST_TEST(holds(whole.html, "--seeds N"));
    BOOST_TEST(!holds(whole.html, "have no results yet"));
    // Classes by number, of those that there are: of three classes none is cut.
    BOOST_TEST(holds(whole.html, "further counts of class 3: --dose"));
    const auto offered = [](int classes) {
        std::string all;
        for (const std::string& part : study::parts_left_out({}, classes)) all += part + "\n";
        return all;
    };
    BOOST_TEST(holds(offered(10), "further counts of class 3 and of class 9: --dose"));
    BOOST_TEST(!holds(offered(3), "--dose"));
    // A study in progress: one cell of Table 1, and the fourth corner of the square.
    std::size_t gone = 0;
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const PlannedCell& cell = results.plan.cells[i];
        const bool few = results.plan.trainings[cell.victim].name == claims::KindName{claims::Kind::scarce};
        const bool one = i == cells_of(results, claims::Method::fast, claims::Kind::under, Source::same_model)[2];
        if (few || one) results.cells.put(i, {}), ++gone;
    }
    const Written written(results);
    BOOST_TEST(holds(written.html, std::to_string(gone) + " planned combinations have no results yet"));
    BOOST_TEST(holds(written.html, "Not run: it needs networks with few images of every class."));
    const auto csv = rows_of(written.file("tables/table_1.csv"));
    const auto column =
        static_cast<std::size_t>(std::find(csv[0].begin(), csv[0].end(), "same/under") - csv[0].begin());
    BOOST_TEST(csv[3].at(column).empty());
    BOOST_TEST(!csv[2].at(column).empty());
}

BOOST_AUTO_TEST_CASE(a_failed_self_check_is_loud) {
    const StudyResults results = skewgrad_tests::small_results(1);
    Judgement judgement = skewgrad_tests::judged(results);
    for (claims::SelfCheck& c : judgement.checks) c.result = claims::CheckResult::passed;
    const Written calm(results, judgement);
    BOOST_TEST(!holds(calm.html, "class=\"alarm\""));
    BOOST_TEST(holds(calm.html, "none failed"));
    judgement.checks[1].result = claims::CheckResult::failed;
    judgement.checks[1].where = {"here <and> there"};
    const Written loud(results, judgement);
    BOOST_TEST(holds(loud.html, "1 self-check FAILED."));
    const std::size_t alarm = loud.html.find("class=\"alarm\"");
    BOOST_TEST(alarm < loud.html.find("<table"));  // before any number
    BOOST_TEST(holds(loud.html, "here &lt;and&gt; there"));
}

BOOST_AUTO_TEST_CASE(networks_that_failed_or_learned_nothing_are_named_before_any_number) {
    StudyResults results = skewgrad_tests::small_results(1);
    const Judgement judgement = skewgrad_tests::judged(results);
    const auto first_title = [&] { return all_tables_and_claims(results, judgement).front().title; };
    BOOST_TEST(networks_at_chance(results).empty());
    BOOST_TEST(!holds(Written(results, judgement).html, "failed or learned nothing"));
    BOOST_TEST(first_title() != "NETWORKS THAT FAILED OR LEARNED NOTHING");

    // One that names class 0 whatever it sees, and one that came to no network.
    std::vector<Outcome> class_0 = results.trainings[1].clean;
    for (Outcome& o : class_0) o.predicted = Prediction{0};
    results.trainings[1].clean = std::move(class_0);
    results.failed = {{"Under <cat> 4, seed 1", "the training loss is not finite at round 2", 31}};
    const std::string dead = title_of(results.plan.trainings[1], results.class_names);
    BOOST_TEST((networks_at_chance(results) == std::vector{dead}));
    BOOST_TEST(first_title() == "NETWORKS THAT FAILED OR LEARNED NOTHING");
    const Table table = missing_networks_table(results);
    BOOST_REQUIRE(table.rows().size() == 2u);
    BOOST_TEST(holds(to_csv(table), "\"Under <cat> 4, seed 1\",failed: the training loss is not finite at round 2,31"));
    const std::string html = Written(results, judgement).html;
    const std::size_t box = html.find("2 networks failed or learned nothing.");
    BOOST_TEST(box < html.find("<table"));
    BOOST_TEST(
        holds(html, "Under &lt;cat&gt; 4, seed 1: the training loss is not finite at round 2 (31 cells are missing)"));
    BOOST_TEST(holds(html, ": no better than a guess"));
}

// A folder with something else in it is nobody's to write to; one that is made, empty or a report's is.
BOOST_AUTO_TEST_CASE(a_folder_with_anothers_files_is_refused_and_left_alone) {
    const skewgrad_tests::TemporaryFolder folder;
    write_whole_file(folder / "letter.txt", "dear");
    for (const auto claim : {check_output_folder, claim_output_folder})
        BOOST_CHECK_EXCEPTION(claim(folder.path()), FileError,
                              [](const FileError& e) { return holds(e.what(), "holds \"letter.txt\" and no report"); });
    BOOST_TEST(folder.names().size() == 1u);
    BOOST_CHECK_NO_THROW(check_output_folder(folder / "new"));
    BOOST_TEST(!std::filesystem::exists(folder / "new"));
    claim_output_folder(folder / "new");
    write_whole_file(folder / "new" / "cells.csv", "of a report");
    BOOST_CHECK_NO_THROW(claim_output_folder(folder / "new"));  // its own again
}

// A second report into the folder of one that had more: its parts alone are there, and whatever a user put beside them.
BOOST_AUTO_TEST_CASE(nothing_stale_stays) {
    const skewgrad_tests::TemporaryFolder folder;
    const StudyResults more = skewgrad_tests::small_results(2, true), results = skewgrad_tests::small_results(1);
    write_report(more, skewgrad_tests::judged(more), folder.path());
    const std::vector<std::string> only_there{"tables/dose.csv", "figures/dose.csv", "figures/transfer.gp"};
    for (const std::string& file : only_there) BOOST_TEST(std::filesystem::exists(folder / file), file);
    write_whole_file(folder / "figures" / "mine.svg", "kept");
    posix::Writer ended = posix::this_writer();
    ended.began += 1;  // an earlier process of this number, killed in the middle of a report
    const std::string unfinished = posix::temporary_name(ended, 1),
                      in_work = posix::temporary_name(posix::this_writer(), 1);
    for (const char* part : {"", "tables", "figures"}) write_whole_file(folder.path() / part / unfinished, "torn");
    write_whole_file(folder / "tables" / in_work, "torn");
    write_whole_file(folder / "outside.txt", "kept");
    write_whole_file(folder / "parts.txt", read_whole_text(folder / "parts.txt") +
                                               "outside.txt\ntables/../outside.txt\ntables/" + std::string(5000, 'x') +
                                               "\n");
    write_report(results, skewgrad_tests::judged(results), folder.path());
    for (const std::string& file : only_there) BOOST_TEST(!std::filesystem::exists(folder / file), file);
    for (const char* file : {"figures/mine.svg", "outside.txt", "tables/table_1.csv", "figures/figure_1.svg"})
        BOOST_TEST(std::filesystem::exists(folder / file), file);
    for (const char* part : {"", "tables", "figures"})
        BOOST_TEST(!std::filesystem::exists(folder.path() / part / unfinished));
    BOOST_TEST(std::filesystem::exists(folder / "tables" / in_work));
    const skewgrad_tests::TemporaryFolder fresh;
    write_report(results, skewgrad_tests::judged(results), fresh.path());
    BOOST_TEST(read_whole_text(folder / "parts.txt") == read_whole_text(fresh / "parts.txt"));
}

BOOST_AUTO_TEST_CASE(a_folder_that_cannot_be_made_is_named) {
    const skewgrad_tests::TemporaryFolder folder;
    write_whole_file(folder / "file", "no folder");
    const StudyResults results = skewgrad_tests::small_results(1);
    const Judgement judgement = skewgrad_tests::judged(results);
    BOOST_CHECK_EXCEPTION(write_report(results, judgement, folder / "file" / "deep"), FileError,
                          [&](const FileError& e) { return holds(e.what(), (folder / "file").string()); });
}
