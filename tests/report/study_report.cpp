// links: report
// Reports of a study: files that agree with its records, tables with the paper's numbers beside ours.
#define BOOST_TEST_MODULE study_report
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <filesystem>
#include <span>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/report/paper_tables.hpp>
#include <skewgrad/report/study_files.hpp>
#include <skewgrad/study/paper.hpp>
#include <skewgrad/study/study.hpp>
#include "store/temporary_folder.hpp"
#include "study/means_learner.hpp"

using namespace skewgrad;

namespace {

StudyResults results(std::vector<Label> classes = {}) {
    Study<MeansLearner, On<Sampler<Balanced>, Sampler<Under>, Sampler<Over>>, From<SameModel, DifferentModel>,
          By<Attack<FGSM, Ascent>, Attack<FGSM, Descent>, Attack<RandomSign>>>
        study{.learner = {},
              .samplers = {Sampler<Balanced>{}, Sampler<Under>{.count = 4}, Sampler<Over>{.count = 4}},
              .attacks = {Attack<FGSM, Ascent>{.epsilon = .02f}, Attack<FGSM, Descent>{.epsilon = .02f},
                          Attack<RandomSign>{.epsilon = .02f}},
              .data_protocol = {.per_class = 2},
              .classes = study::classes_studied(std::move(classes), 10),
              .seeds = {Seed{1}}};
    return study.run(Embedded{.train_per_class = 20, .test_per_class = 6}.load(1));
}
/// The same networks and attacks, listed in another order.
StudyResults in_another_order() {
    Study<MeansLearner, On<Sampler<Over>, Sampler<Under>, Sampler<Balanced>>, From<SameModel, DifferentModel>,
          By<Attack<RandomSign>, Attack<FGSM, Descent>, Attack<FGSM, Ascent>>>
        study{.learner = {},
              .samplers = {Sampler<Over>{.count = 4}, Sampler<Under>{.count = 4}, Sampler<Balanced>{}},
              .attacks = {Attack<RandomSign>{.epsilon = .02f}, Attack<FGSM, Descent>{.epsilon = .02f},
                          Attack<FGSM, Ascent>{.epsilon = .02f}},
              .data_protocol = {.per_class = 2},
              .classes = study::classes_studied({}, 10),
              .seeds = {Seed{1}}};
    return study.run(Embedded{.train_per_class = 20, .test_per_class = 6}.load(1));
}
/// The same under the names of the paper's classes.
StudyResults under_its_names(StudyResults r) {
    r.class_names.assign(paper::class_names.begin(), paper::class_names.end());
    return r;
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> all;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
}

double number(const Table& table, std::size_t row, std::size_t column) {
    return std::stod(to_csv(table).empty() ? "" : [&] {
        auto fields = lines(to_csv(table))[row + 1];
        std::istringstream in(fields);
        std::string field;
        for (std::size_t c = 0; c <= column; ++c) std::getline(in, field, ',');
        return field;
    }());
}

}  // namespace

BOOST_AUTO_TEST_CASE(files_hold_every_cell_image_and_training) {
    const StudyResults r = results();
    const auto folder = std::filesystem::temp_directory_path() / "skewgrad-study-report";
    std::filesystem::remove_all(folder);
    report::write_study(r, folder / "deep");
    const auto cells = lines(read_whole_text(folder / "deep" / "cells.csv"));
    BOOST_TEST(cells.size() == r.cells.size() + 1);
    const auto images = lines(read_whole_text(folder / "deep" / "images.csv"));
    BOOST_TEST(images.size() == r.cells.size() * 6 + 1);
    const auto trainings = nlohmann::json::parse(read_whole_text(folder / "deep" / "trainings.json"));
    BOOST_TEST(trainings.size() == 22u);
    BOOST_TEST(trainings[0]["items"].size() == 180u);
    const auto json = nlohmann::json::parse(read_whole_text(folder / "deep" / "cells.json"));
    BOOST_TEST(json.size() == r.cells.size());
    for (std::size_t i = 0; i < r.cells.size(); ++i) {
        const auto s = report::summary(r, i);
        BOOST_TEST(json[i]["attacked_correct"].get<std::int64_t>() == s.attacked.hits);
        BOOST_TEST(json[i]["clean_correct"].get<std::int64_t>() == s.clean.hits);
        BOOST_TEST(json[i]["images"].get<std::int64_t>() == 6);
        BOOST_TEST(json[i]["test_images"].get<std::int64_t>() == 60);
    }
    std::filesystem::remove_all(folder);
}

// Logits that are not finite are no prediction: an empty field, not the number that stands for it inside.
BOOST_AUTO_TEST_CASE(an_image_without_an_answer_has_an_empty_field) {
    StudyResults r = results();
    const Outcome none = outcome_of(std::span<const float>(std::array{0.0f, std::nanf("")}), Label{0});
    const CellHandle first = r.cells[0];
    CellResult changed = first->result();
    changed.images[0].clean = changed.images[1].attacked = none;
    r.cells.put(0, std::move(changed));
    r.trainings[0].clean = std::vector<Outcome>(r.trainings[0].clean.size(), none);
    const skewgrad_tests::TemporaryFolder folder;
    report::write_study(r, folder.path());
    const auto fields = [&](std::size_t row) {
        std::vector<std::string> all;
        std::istringstream in(lines(read_whole_text(folder / "images.csv")).at(row));
        for (std::string field; std::getline(in, field, ',');) all.push_back(field);
        return all;
    };
    BOOST_TEST(fields(0)[2] == "clean_prediction");
    BOOST_TEST(fields(0)[6] == "attacked_prediction");
    BOOST_TEST(fields(1)[2].empty());
    BOOST_TEST(fields(1)[3] == "-inf");
    BOOST_TEST(!fields(1)[6].empty());
    BOOST_TEST(fields(2)[6].empty());
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
        BOOST_TEST(read_whole_text(entry.path()).find("65535") == std::string::npos, entry.path().string());
}

BOOST_AUTO_TEST_CASE(table_1_shows_recalls_beside_the_papers) {
    const StudyResults r = under_its_names(results());
    const Table table = report::table_1(r);
    BOOST_TEST(table.rows().size() == 11u);
    for (std::size_t c = 0; c < 10; ++c) {
        const auto cells = report::cells_of(r, claims::Method::fast, claims::Kind::under, Source::same_model);
        BOOST_TEST(number(table, c, 8) == 100 * report::summary(r, cells[c]).attacked.value(),
                   boost::test_tools::tolerance(1e-9));
        BOOST_TEST(number(table, c, 9) == paper::class_accuracy[c].same_under, boost::test_tools::tolerance(1e-9));
    }
    BOOST_TEST(number(table, 10, 9) == 14.17, boost::test_tools::tolerance(1e-9));  // the paper's own average
    BOOST_TEST(number(table, 10, 3) == 53.8, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_study_of_some_classes_has_their_rows_and_both_averages_are_over_them) {
    const StudyResults all = under_its_names(results()), some = under_its_names(results({Label{9}, Label{3}}));
    const Table table = report::table_1(some);
    BOOST_TEST(table.rows().size() == 3u);
    const auto text = lines(to_csv(table));
    BOOST_TEST(text[1].starts_with(some.class_names[3] + ","));
    BOOST_TEST(text[2].starts_with(some.class_names[9] + ","));
    for (const std::size_t column : {7, 8, 9, 10})
        BOOST_TEST(number(table, 2, column) == (number(table, 0, column) + number(table, 1, column)) / 2,
                   boost::test_tools::tolerance(1e-9));
    // What a class's networks are does not depend on which other classes are studied.
    BOOST_TEST(number(table, 0, 8) == number(report::table_1(all), 3, 8));
    BOOST_TEST(number(table, 0, 9) == paper::class_accuracy[3].same_under, boost::test_tools::tolerance(1e-9));
}

// Tables go by the names for the claims.
BOOST_AUTO_TEST_CASE(the_order_of_samplers_and_attacks_is_in_no_table) {
    const StudyResults one = results(), other = in_another_order();
    BOOST_TEST(one.plan.trainings[0].key.text() != other.plan.trainings[0].key.text());
    const auto tables = report::all_tables(one), again = report::all_tables(other);
    BOOST_REQUIRE(tables.size() == again.size());
    for (std::size_t t = 0; t < tables.size(); ++t) {
        BOOST_TEST(tables[t].title == again[t].title);
        BOOST_TEST(to_csv(tables[t].table) == to_csv(again[t].table));
    }
}

BOOST_AUTO_TEST_CASE(other_classes_have_no_number_of_the_papers) {
    const Table table = report::table_1(results());
    BOOST_TEST(table.columns().size() == 7u);
    for (const TableColumn& column : table.columns()) BOOST_TEST(column.title != "paper");
}

BOOST_AUTO_TEST_CASE(a_relative_difference_over_fewer_than_50_images_is_empty) {
    const Table table = report::figure_5(under_its_names(results()));
    for (std::size_t c = 0; c < 10; ++c) BOOST_TEST(table.rows()[c][1].empty());
    BOOST_TEST(!table.rows()[0][2].empty());
    BOOST_TEST(table.rows()[10][2].empty());  // ours is over no class, and so is the paper's average beside it
}
