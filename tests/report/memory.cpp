// links: report
// A report needs little memory: rows are written as they come, and cells are read as they are used.
#define BOOST_TEST_MODULE report_memory
#include <boost/test/unit_test.hpp>

#include <malloc.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include <skewgrad/report/write_report.hpp>
#include "store/temporary_folder.hpp"

namespace {

std::atomic<std::int64_t> in_use{0}, most{0};

}  // namespace

void* operator new(std::size_t bytes) {
    void* block = std::malloc(bytes);
    if (block == nullptr) throw std::bad_alloc();
    const std::int64_t now = in_use += static_cast<std::int64_t>(malloc_usable_size(block));
    if (now > most) most = now;
    return block;
}
void operator delete(void* block) noexcept {
    if (block != nullptr) in_use -= static_cast<std::int64_t>(malloc_usable_size(block));
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept { operator delete(block); }

using namespace skewgrad;

BOOST_AUTO_TEST_CASE(rows_of_images_are_not_gathered) {
    StudyResults r;
    r.class_names = {"a", "b"};
    r.plan.attacks = {{.description = {{"name", "fgsm"}, {"values", {{"epsilon", 0.01}}}}}};
    r.plan.trainings.resize(1);
    r.plan.trainings[0].key.sampler = {{"name", "Balanced"}};
    r.trainings.resize(1);
    std::vector<Outcome> clean;
    for (std::uint32_t i = 0; i < 2000; ++i) {
        r.test_labels.push_back(Label(i % 2));
        r.test_items.push_back(i);
        clean.push_back({.predicted = Prediction(0), .margin = 0.1f + static_cast<float>(i)});
    }
    r.trainings[0].clean = std::move(clean);
    for (int c = 0; c < 60; ++c) {
        r.plan.cells.push_back({.attacked_class = Label(c % 2)});
        CellResult cell;
        for (std::uint32_t i = 0; i < 1000; ++i) {
            ImageRecord image;
            image.item = i;
            image.gradient_norm1 = 1.0 / (i + 3);
            image.clean = image.attacked = {.predicted = Prediction(i % 2), .margin = 0.1f, .loss = 0.3f};
            cell.images.push_back(image);
        }
        r.cells.push_back(std::move(cell));
    }
    const skewgrad_tests::TemporaryFolder folder;
    const std::int64_t before = most = in_use.load();
    report::write_study(r, folder.path());
    const std::int64_t file = static_cast<std::int64_t>(std::filesystem::file_size(folder / "images.csv"));
    BOOST_TEST(file > 3'000'000);
    BOOST_TEST(most - before < file / 4, (most - before) << " bytes for a file of " << file);
}

namespace {

/// A study of two seeds on four classes, with balanced, under- and over-sampled networks under their own gradients and
/// under those of `sources` skewed networks. Each cell is in a file of its own.
StudyResults study_in_files(std::size_t sources, std::size_t images_a_class) {
    StudyResults r;
    r.class_names = {"cat", "dog", "c", "d"};
    r.plan.attacks = {{.description = {{"name", "fgsm"}, {"values", {{"epsilon", 0.01}}}},
                       .name = claims::AttackName{claims::Method::fast}}};
    for (std::size_t i = 0; i < 4 * images_a_class; ++i) {
        r.test_labels.push_back(Label(i % 4));
        r.test_items.push_back(static_cast<std::uint32_t>(i));
    }
    const std::vector<Outcome> clean(r.test_labels.size(), {.predicted = Prediction(0), .margin = 0.1f});
    for (const std::uint64_t seed : {1, 2})
        for (const claims::Kind kind : {claims::Kind::balanced, claims::Kind::under, claims::Kind::over})
            for (int c = 0; c < (kind == claims::Kind::balanced ? 1 : 4); ++c) {
                PlannedTraining t;
                t.key.sampler = {{"name", claims::name_of(kind)}, {"values", {{"count", nullptr}}}};
                t.seed = Seed{seed};
                t.name = claims::KindName{kind};
                if (kind != claims::Kind::balanced) t.skewed = Label(c);
                r.plan.trainings.push_back(t);
                r.trainings.push_back({});
                r.trainings.back().clean = clean;
                r.trainings.back().counts = {1, 1, 1, 1};
            }
    std::vector<std::size_t> skewed_networks;  // as sources, of no use to any claim
    for (std::size_t t = 0; t < r.plan.trainings.size(); ++t)
        if (r.plan.trainings[t].skewed) skewed_networks.push_back(t);
    for (std::size_t v = 0; v < r.plan.trainings.size(); ++v)
        for (int c = 0; c < 4; ++c) {
            if (const auto& skewed = r.plan.trainings[v].skewed; skewed && *skewed != Label(c)) continue;
            r.plan.cells.push_back({.victim = v, .source = v, .attacked_class = Label(c)});
            for (std::size_t s = 0; s < sources; ++s)
                if (skewed_networks[s] != v)
                    r.plan.cells.push_back({.victim = v,
                                            .source = skewed_networks[s],
                                            .from = Source::transfer,
                                            .attacked_class = Label(c)});
        }
    r.cells.resize(r.plan.cells.size());
    for (std::size_t i = 0; i < r.cells.size(); ++i)
        r.cells.read_from(std::array{i}, images_a_class, [i, images_a_class] {
            CellResult cell;
            for (std::size_t n = 0; n < images_a_class; ++n) {
                ImageRecord image;
                image.clean = {.predicted = Prediction(n % 4), .margin = 0.1f, .loss = 0.3f};
                image.attacked = {.predicted = Prediction((n + i) % 4), .margin = 0.1f, .loss = 0.4f};
                image.gradient_norm1 = 1;
                cell.images.push_back(image);
            }
            return std::vector{cell};
        });
    r.cells.keep_at_most(std::size_t{1} << 20);
    return r;
}
std::int64_t bytes_of_report(const StudyResults& r) {
    const skewgrad_tests::TemporaryFolder folder;
    const std::int64_t before = most = in_use.load();
    const auto judged = report::judge_study(r, {}, CrossedOptions{.draws = 2});
    report::write_report(r, judged, folder / "report", {.date = "today"});
    return most - before;
}

}  // namespace

BOOST_AUTO_TEST_CASE(more_cells_in_files_need_no_more_memory) {
    constexpr std::size_t images = 1000;
    const StudyResults few = study_in_files(1, images), many = study_in_files(15, images);
    const auto added = static_cast<std::int64_t>((many.cells.size() - few.cells.size()) * images * sizeof(Outcome));
    BOOST_TEST(added > 5'000'000);
    for (const StudyResults* r : {&few, &many}) (void)bytes_of_report(*r);  // what is made once, and the caches
    const std::int64_t of_few = bytes_of_report(few), of_many = bytes_of_report(many);
    BOOST_TEST_MESSAGE(of_few << " and " << of_many << " bytes; the attacked predictions alone are " << added
                              << " more");
    BOOST_TEST(of_many - of_few < added / 5);
    // With room for all of them in the cache, they take it.
    StudyResults roomy = study_in_files(15, images);
    roomy.cells.keep_at_most(std::size_t{1} << 30);
    BOOST_TEST(bytes_of_report(roomy) - of_few > added);
}
