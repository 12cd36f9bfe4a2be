// Cells by number: what is in memory, what is read when, and what a handle keeps.
#define BOOST_TEST_MODULE study_cell_results
#include <boost/test/unit_test.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <thread>
#include <vector>

#include <skewgrad/core/error.hpp>
#include <skewgrad/study/cell_results.hpp>

using namespace skewgrad;

namespace {

constexpr std::size_t images = 50;

/// A cell that is told from others by its number.
CellResult cell_number(std::size_t number) {
    CellResult cell;
    for (std::size_t n = 0; n < images; ++n) {
        ImageRecord r;
        r.item = static_cast<std::uint32_t>(n);
        r.clean = {.predicted = Prediction(n % 3), .margin = 0.5f};
        r.attacked = {.predicted = Prediction(number), .margin = static_cast<float>(n)};
        r.gradient_norm1 = 0.25 * static_cast<double>(n);
        r.zero_gradient = n == 7;
        r.zero_pixels = static_cast<std::int32_t>(n);
        if (number % 2 == 1) r.smallest_epsilon = 0.1;
        if (number == 3 && n != 2) r.cosine = 0.3, r.sign_agreement = 0.6;
        cell.images.push_back(r);
    }
    if (number == 3) cell.sweep = {{0.1f, {3, 4}}};
    return cell;
}
bool is_number(const CellHandle& cell, std::size_t number) {
    return cell->images.size() == images && index(cell->images[0].attacked.predicted) == static_cast<int>(number);
}
/// Cells 0 to 3 * `files` - 1, three in a file; counts how often each file is read.
CellResults in_files(std::vector<int>& reads) {
    CellResults cells(3 * reads.size());
    for (std::size_t f = 0; f < reads.size(); ++f)
        cells.read_from(std::array{3 * f, 3 * f + 1, 3 * f + 2}, images, [&reads, f] {
            ++reads[f];
            return std::vector{cell_number(3 * f), cell_number(3 * f + 1), cell_number(3 * f + 2)};
        });
    return cells;
}
int sum(const std::vector<int>& reads) {
    int all = 0;
    for (const int r : reads) all += r;
    return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(columns_hold_what_records_hold) {
    const auto same = [](double x, double y) { return x == y || (x != x && y != y); };
    for (std::size_t number = 0; number < 4; ++number) {
        const CellResult given = cell_number(number);
        for (const CellResult& all :
             {CellColumns(given).result(), CellColumns(given, CellColumns(cell_number(9)).images.shared()).result()}) {
            BOOST_REQUIRE(all.images.size() == images);
            for (std::size_t n = 0; n < images; ++n) {
                const ImageRecord &a = given.images[n], &b = all.images[n];
                BOOST_TEST((a.item == b.item && a.clean == b.clean && a.attacked == b.attacked));
                BOOST_TEST((a.gradient_norm1 == b.gradient_norm1 && a.zero_gradient == b.zero_gradient &&
                            a.zero_pixels == b.zero_pixels));
                BOOST_TEST((same(a.smallest_epsilon, b.smallest_epsilon) && same(a.cosine, b.cosine) &&
                            same(a.sign_agreement, b.sign_agreement)));
            }
            BOOST_TEST(all.sweep.size() == given.sweep.size());
        }
    }
    // Columns of other images are not taken over.
    CellResult other = cell_number(0);
    other.images[5].clean.margin = 3;
    const CellColumns own(other, CellColumns(cell_number(1)).images.shared());
    BOOST_TEST(own.images[5].clean.margin == 3);
}

BOOST_AUTO_TEST_CASE(cells_in_memory_may_be_missing) {
    CellResults cells(3);
    cells.put(1, cell_number(1));
    BOOST_TEST(!cells.has(0));
    BOOST_TEST(cells.has(1));
    const CellHandle missing = cells[0], there = cells[1];
    BOOST_TEST(missing->images.empty());
    BOOST_TEST(is_number(there, 1));
    // A copy has its own list of cells; what is used stays as it was.
    CellResults copy = cells;
    copy.put(1, {});
    BOOST_TEST(!copy.has(1));
    BOOST_TEST(cells.has(1));
    cells.put(1, cell_number(2));
    BOOST_TEST(is_number(there, 1));
    BOOST_CHECK_THROW((void)cells.has(3), std::out_of_range);
}

BOOST_AUTO_TEST_CASE(files_are_read_when_cells_are_used_and_once_in_order) {
    std::vector<int> reads(4);
    CellResults cells = in_files(reads);
    cells.keep_at_most(1);
    for (std::size_t i = 0; i < cells.size(); ++i) BOOST_TEST(cells.images(i) == images);
    BOOST_TEST(sum(reads) == 0);
    for (std::size_t i = 0; i < cells.size(); ++i) {
        const CellHandle cell = cells[i];
        BOOST_TEST(is_number(cell, i));
    }
    BOOST_TEST((reads == std::vector<int>(4, 1)));
    const CellHandle first = cells[0];
    BOOST_TEST(reads[0] == 2);  // the cache holds one cell and the last file's
    BOOST_TEST(is_number(first, 0));
}

BOOST_AUTO_TEST_CASE(the_last_used_cells_stay) {
    std::vector<int> reads(20);
    CellResults cells = in_files(reads);
    const std::size_t one = CellColumns(cell_number(0)).bytes() + CellColumns(cell_number(0)).images.shared()->bytes();
    cells.keep_at_most(4 * one);
    const auto use = [&](std::size_t file) {
        const CellHandle cell = cells[3 * file];
        BOOST_TEST(is_number(cell, 3 * file));
    };
    for (int round = 0; round < 10; ++round)
        for (const std::size_t file : {0, 2, 4, 6}) use(file);
    BOOST_TEST(sum(reads) == 4);
    use(8);  // takes the place of file 0, the one unused for longest
    use(2);
    BOOST_TEST(sum(reads) == 5);
    use(0);
    BOOST_TEST(reads[0] == 2);
}

BOOST_AUTO_TEST_CASE(what_is_in_use_is_not_read_again) {
    std::vector<int> reads(10);
    CellResults cells = in_files(reads);
    cells.keep_at_most(1);
    std::vector<CellHandle> held;
    for (std::size_t i = 0; i < cells.size(); ++i) held.push_back(cells[i]);
    for (int round = 0; round < 3; ++round)
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const CellHandle cell = cells[(7 * i) % cells.size()];
            BOOST_TEST(is_number(cell, (7 * i) % cells.size()));
        }
    BOOST_TEST(sum(reads) == 10);
}

BOOST_AUTO_TEST_CASE(some_cells_share_the_files_of_all) {
    std::vector<int> reads(2);
    study::StoredCell last;
    {
        CellResults cells = in_files(reads);
        const CellResults some = cells.select(std::array<std::size_t, 2>{5, 0});
        BOOST_TEST(some.size() == 2u);
        const CellHandle five = some[0], again = cells[5];
        BOOST_TEST(is_number(five, 5));
        BOOST_TEST(&*five == &*again);
        BOOST_TEST(sum(reads) == 1);
        last = cells.stored(2);
    }
    const CellHandle two = last.get();  // it refers to no list
    BOOST_TEST(is_number(two, 2));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_read_says_so_each_time) {
    CellResults cells(2);
    bool damaged = true;
    cells.read_from(std::array<std::size_t, 2>{0, 1}, images, [&]() -> std::vector<CellResult> {
        if (damaged) throw FileError("cells/a", "is damaged");
        return {cell_number(0), cell_number(1)};
    });
    BOOST_CHECK_THROW((void)cells[0], FileError);
    BOOST_CHECK_THROW((void)cells[1], FileError);
    damaged = false;
    const CellHandle one = cells[1];
    BOOST_TEST(is_number(one, 1));
    CellResults short_file(2);
    short_file.read_from(std::array<std::size_t, 2>{0, 1}, images, [] { return std::vector{cell_number(0)}; });
    BOOST_CHECK_THROW((void)short_file[1], ValueError);
}

BOOST_AUTO_TEST_CASE(threads_may_read) {
    std::vector<int> reads(8);
    CellResults cells = in_files(reads);
    cells.keep_at_most(3000);
    std::array<int, 4> wrong{};
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t)
        threads.emplace_back([&, t] {
            for (std::size_t i = 0; i < 500; ++i) {
                const std::size_t number = (i * (2 * t + 5)) % cells.size();
                const CellHandle cell = cells[number];
                wrong[t] += !is_number(cell, number);
            }
        });
    for (std::thread& thread : threads) thread.join();
    BOOST_TEST((wrong == std::array<int, 4>{}));
}
