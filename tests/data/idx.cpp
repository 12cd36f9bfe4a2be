// IDX files: big-endian extents and bytes are read, foreign, compressed, truncated and inconsistent ones refused.
#define BOOST_TEST_MODULE data_idx
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <skewgrad/data/idx.hpp>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

// Three training images and two test images of 4 rows and 5 columns.
struct Folder : TemporaryFolder {
    std::filesystem::path train_images = path() / "train-images-idx3-ubyte",
                          train_labels = path() / "train-labels-idx1-ubyte",
                          test_images = path() / "t10k-images-idx3-ubyte",
                          test_labels = path() / "t10k-labels-idx1-ubyte";

    static Bytes pixels(int first, int count) {
        Bytes all;
        for (int i = first; i < first + count; ++i)
            for (int p = 0; p < 20; ++p) all.push_back(pixel_at(i, p));
        return all;
    }
    Folder() {
        write_file(train_images, idx_file(8, {3, 4, 5}, pixels(0, 3)));
        write_file(train_labels, idx_file(8, {3}, {2, 0, 1}));
        write_file(test_images, idx_file(8, {2, 4, 5}, pixels(3, 2)));
        write_file(test_labels, idx_file(8, {2}, {4, 1}));
    }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(good_files, Folder) {
    const auto data = Idx::load(path());
    BOOST_CHECK(data.train.shape() == (Shape{1, 4, 5}));
    BOOST_REQUIRE(data.train.size() == 3u);
    BOOST_REQUIRE(data.test.size() == 2u);
    // Five classes, because the test set names class 4; both sets know as many.
    BOOST_TEST(data.train.classes() == 5);
    BOOST_TEST(data.test.classes() == 5);
    BOOST_TEST(index(data.train.label(0)) == 2);
    BOOST_TEST(index(data.test.label(0)) == 4);
    for (int p = 0; p < 20; ++p) {
        BOOST_TEST(data.train.bytes(2)[static_cast<std::size_t>(p)] == pixel_at(2, p));
        BOOST_TEST(data.test.bytes(1)[static_cast<std::size_t>(p)] == pixel_at(4, p));
    }
    const auto named = Idx::load(path(), {"v", "w", "x", "y", "z"});
    BOOST_TEST(named.test.class_names()[4] == "z");
    BOOST_TEST(Idx::fashion_names().size() == 10u);
}

BOOST_FIXTURE_TEST_CASE(extents_of_more_than_a_byte_are_big_endian, Folder) {
    write_file(train_images, idx_file(8, {258, 1, 2}, Bytes(516, 3)));
    write_file(train_labels, idx_file(8, {258}, Bytes(258, 1)));
    write_file(test_images, idx_file(8, {1, 1, 2}, Bytes(2, 3)));
    write_file(test_labels, idx_file(8, {1}, {0}));
    BOOST_TEST(Idx::load(path()).train.size() == 258u);
}

BOOST_FIXTURE_TEST_CASE(a_missing_or_compressed_file, Folder) {
    std::filesystem::rename(test_labels, test_labels.string() + ".gz");
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"t10k-labels-idx1-ubyte", "no such file", "gunzip"}));
    std::filesystem::remove(test_labels.string() + ".gz");
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"t10k-labels-idx1-ubyte", "no such file"}));
    write_file(test_labels, {0x1f, 0x8b, 8, 0, 0, 0});
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"t10k-labels-idx1-ubyte", "gunzip"}));
    BOOST_CHECK_EXCEPTION(Idx::load(path() / "nowhere"), FileError, says({"nowhere", "no such folder"}));
}

BOOST_FIXTURE_TEST_CASE(a_foreign_header, Folder) {
    write_file(train_images, idx_file(0x0d, {3, 4, 5}, pixels(0, 3)));  // floats
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"train-images-idx3-ubyte", "0, 0, 13"}));
    write_file(train_images, idx_file(8, {3, 20}, pixels(0, 3)));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"2 axes", "must have 3"}));
    write_file(train_images, {0, 0});
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"ends at byte 2", "2 bytes short"}));
    write_file(train_images, {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0});
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"ends at byte 14"}));
}

BOOST_FIXTURE_TEST_CASE(sizes_that_disagree, Folder) {
    Bytes shorter = pixels(0, 3);
    shorter.pop_back();
    write_file(train_images, idx_file(8, {3, 4, 5}, shorter));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"59 bytes", "truncated"}));
    shorter.resize(61);
    write_file(train_images, idx_file(8, {3, 4, 5}, shorter));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"61 bytes", "disagrees"}));
    write_file(train_images, idx_file(8, {3, 0, 5}, {}));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"axis 1", "extent 0"}));
    // A product that would overflow is refused like any other.
    write_file(train_images, idx_file(8, {0xffffffff, 0xffffffff, 0xffffffff}, {1}));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"axis 0", "4294967295"}));
    write_file(train_images, idx_file(8, {2, 4, 5}, pixels(0, 2)));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"train-labels-idx1-ubyte", "3 labels", "2 images"}));
}

BOOST_FIXTURE_TEST_CASE(sets_that_disagree, Folder) {
    BOOST_CHECK_EXCEPTION(Idx::load(path(), {"a", "b", "c"}), FileError,
                          says({"t10k-labels-idx1-ubyte", "record 0", "label 4", "below 3"}));
    write_file(test_images, idx_file(8, {2, 5, 4}, pixels(3, 2)));
    BOOST_CHECK_EXCEPTION(Idx::load(path()), FileError, says({"t10k-images", "1x5x4", "1x4x5"}));
}
