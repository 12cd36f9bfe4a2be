// CIFAR's published binary files: good ones are read pixel for pixel, every bad one is refused with its place.
#define BOOST_TEST_MODULE data_cifar
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <skewgrad/data/cifar.hpp>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

constexpr auto any = cifar::Size::any;

std::string batch(int i) { return "data_batch_" + std::to_string(i) + ".bin"; }

// Batch i has i records, so 15 training images; their labels count on through the files.
void write_cifar10(const std::filesystem::path& folder) {
    int image = 0;
    for (int i = 1; i <= 5; ++i) {
        Bytes file;
        for (int r = 0; r < i; ++r, ++image) append_record(file, {static_cast<std::uint8_t>(image % 10)}, image);
        write_file(folder / batch(i), file);
    }
    Bytes test;
    for (int r = 0; r < 3; ++r) append_record(test, {static_cast<std::uint8_t>(9 - r)}, 100 + r);
    write_file(folder / "test_batch.bin", test);
}

void check_good(const Splits& data) {
    BOOST_REQUIRE(data.train.size() == 15u);
    BOOST_REQUIRE(data.test.size() == 3u);
    BOOST_CHECK(data.train.shape() == (Shape{3, 32, 32}));
    BOOST_TEST(data.train.classes() == 10);
    for (std::size_t i = 0; i < 15; ++i) {
        BOOST_TEST(index(data.train.label(i)) == static_cast<int>(i % 10));
        const auto bytes = data.train.bytes(i);
        int wrong = 0;
        for (int p = 0; p < 3072; ++p) wrong += bytes[static_cast<std::size_t>(p)] != pixel_at(static_cast<int>(i), p);
        BOOST_TEST(wrong == 0);
    }
    BOOST_CHECK(data.test.label(2) == Cifar10::horse);
    BOOST_TEST(data.test.bytes(2)[3071] == pixel_at(102, 3071));
}

struct Folder : TemporaryFolder {
    Folder() { write_cifar10(path()); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cifar10)

BOOST_FIXTURE_TEST_CASE(file_order_is_item_order, Folder) {
    const auto data = Cifar10::load(path(), any);
    check_good(data);
    BOOST_TEST(data.train.class_names()[static_cast<std::size_t>(index(Cifar10::cat))] == "cat");
    BOOST_TEST(data.train.class_names()[9] == "truck");
}

BOOST_AUTO_TEST_CASE(the_archive_s_own_folder_is_found) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "cifar-10-batches-bin");
    write_cifar10(folder / "cifar-10-batches-bin");
    check_good(Cifar10::load(folder.path(), any));
}

BOOST_FIXTURE_TEST_CASE(names_come_from_the_archive, Folder) {
    write_text(path() / "batches.meta.txt", "a\nb\r\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
    BOOST_TEST(Cifar10::load(path(), any).test.class_names()[1] == "b");
    write_text(path() / "batches.meta.txt", "a\nb\n\ncaf\xe9\n");
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError,
                          says({"batches.meta.txt", "line 4", "\"caf\\xe9\"", "no UTF-8", "byte 4"}));
    write_text(path() / "batches.meta.txt", "a\nb\n");
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({"batches.meta.txt", "2 class names", "10"}));
}

BOOST_FIXTURE_TEST_CASE(a_missing_file_is_named, Folder) {
    std::filesystem::remove(path() / batch(4));
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({batch(4), "no such file"}));
    BOOST_CHECK_EXCEPTION(Cifar10::load(path() / "elsewhere"), FileError, says({"elsewhere", "no such folder"}));
    std::filesystem::create_directory(path() / batch(4));
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({batch(4), "not a file"}));
}

BOOST_FIXTURE_TEST_CASE(a_truncated_or_empty_file_is_refused, Folder) {
    std::filesystem::resize_file(path() / batch(3), 3 * 3073 - 1);
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({batch(3), "9218 bytes", "3073", "truncated"}));
    std::filesystem::resize_file(path() / batch(3), 0);
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({batch(3), "0 bytes"}));
    BOOST_CHECK_THROW(Cifar10::load(path(), any), Error);
}

BOOST_FIXTURE_TEST_CASE(a_file_cut_between_two_records_is_refused, Folder) {
    BOOST_CHECK_EXCEPTION(Cifar10::load(path()), FileError, says({batch(1), "1 images", "10000", "truncated"}));
}

BOOST_FIXTURE_TEST_CASE(a_label_out_of_range_is_named_with_its_record, Folder) {
    Bytes file;
    append_record(file, {9}, 0);
    append_record(file, {10}, 1);
    write_file(path() / batch(2), file);
    BOOST_CHECK_EXCEPTION(Cifar10::load(path(), any), FileError, says({batch(2), "record 1", "label 10", "below 10"}));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cifar100)

struct Hundred : TemporaryFolder {
    Hundred() {
        Bytes train, test;
        append_record(train, {19, 99}, 0);
        append_record(train, {3, 42}, 1);
        append_record(test, {7, 0}, 2);
        write_file(path() / "train.bin", train);
        write_file(path() / "test.bin", test);
    }
};

BOOST_FIXTURE_TEST_CASE(fine_and_coarse_labels, Hundred) {
    const auto fine = Cifar100::load(path(), Cifar100::Labels::fine, any);
    BOOST_TEST(fine.train.classes() == 100);
    BOOST_TEST(index(fine.train.label(0)) == 99);
    BOOST_TEST(index(fine.train.label(1)) == 42);
    BOOST_TEST(fine.train.bytes(1)[1025] == pixel_at(1, 1025));
    const auto coarse = Cifar100::load(path(), Cifar100::Labels::coarse, any);
    BOOST_TEST(coarse.train.classes() == 20);
    BOOST_TEST(index(coarse.train.label(0)) == 19);
    BOOST_TEST(index(coarse.test.label(0)) == 7);
    BOOST_TEST(coarse.test.bytes(0)[0] == pixel_at(2, 0));
}

BOOST_FIXTURE_TEST_CASE(both_labels_are_checked_whichever_is_asked_for, Hundred) {
    Bytes train;
    append_record(train, {20, 5}, 0);
    write_file(path() / "train.bin", train);
    BOOST_CHECK_EXCEPTION(Cifar100::load(path(), Cifar100::Labels::fine, any), FileError,
                          says({"train.bin", "record 0", "label 20", "below 20"}));
    train.clear();
    append_record(train, {2, 100}, 0);
    write_file(path() / "train.bin", train);
    BOOST_CHECK_EXCEPTION(Cifar100::load(path(), Cifar100::Labels::coarse, any), FileError,
                          says({"label 100", "below 100"}));
    // A record of CIFAR-10 is a byte shorter.
    train.pop_back();
    write_file(path() / "train.bin", train);
    BOOST_CHECK_EXCEPTION(Cifar100::load(path(), Cifar100::Labels::fine, any), FileError, says({"3073 bytes", "3074"}));
}

BOOST_AUTO_TEST_SUITE_END()
