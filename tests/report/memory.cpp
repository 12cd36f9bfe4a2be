// links: report
// A study's files need little more memory than its results: rows are written as they come.
#define BOOST_TEST_MODULE report_memory
#include <boost/test/unit_test.hpp>

#include <malloc.h>
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <string>

#include <skewgrad/report/study_files.hpp>
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
    for (std::uint32_t i = 0; i < 2000; ++i) {
        r.test_labels.push_back(Label(i % 2));
        r.test_items.push_back(i);
        r.trainings[0].clean.push_back({.predicted = Prediction(0), .margin = 0.1f + static_cast<float>(i)});
    }
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
