// Arrays as .npy files: NumPy's own bytes, every element type, both orders, and files that are not what they say.
#define BOOST_TEST_MODULE store_npy
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <skewgrad/store/npy.hpp>
#include <string>
#include <vector>
#include <xtensor/xbuilder.hpp>

#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;

namespace {

/// A version 1 file with the given header text.
std::string raw_file(const std::string& header, const std::string& elements, char version = 1) {
    std::string file = "\x93NUMPY";
    file += version;
    file += '\0';
    file += static_cast<char>(header.size());
    file += '\0';
    if (version > 1) file += std::string(2, '\0');
    return file + header + elements;
}

template <class T, std::size_t N>
std::string complaint(const TemporaryFolder& folder, const std::string& bytes) {
    write_whole_file(folder / "odd.npy", bytes);
    try {
        (void)read_npy<T, N>(folder / "odd.npy");
    } catch (const FileError& error) {
        const std::string text = error.what();
        return text.starts_with((folder / "odd.npy").string() + ": ") ? text : "does not name the file: " + text;
    }
    return "accepted";
}

void says(const std::string& verdict, const std::string& part) {
    BOOST_TEST_INFO("it says: " << verdict);
    BOOST_TEST((verdict.find(part) != std::string::npos));
}

template <class T>
void comes_back(const TemporaryFolder& folder) {
    xt::xtensor<T, 3> tensor(std::array<std::size_t, 3>{2, 3, 5});
    for (std::size_t i = 0; i < tensor.size(); ++i)
        tensor.data()[i] = i == 0   ? std::numeric_limits<T>::max()
                           : i == 1 ? std::numeric_limits<T>::lowest()
                                    : static_cast<T>(i * 3);
    write_npy(folder / "a.npy", tensor);
    const auto back = read_npy<T, 3>(folder / "a.npy");
    BOOST_TEST((back.shape() == tensor.shape()));
    BOOST_TEST(std::equal(tensor.data(), tensor.data() + tensor.size(), back.data()));
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_element_type_comes_back) {
    const TemporaryFolder folder;
    comes_back<float>(folder);
    comes_back<double>(folder);
    comes_back<std::int8_t>(folder);
    comes_back<std::uint8_t>(folder);
    comes_back<std::int16_t>(folder);
    comes_back<std::uint16_t>(folder);
    comes_back<std::int32_t>(folder);
    comes_back<std::uint32_t>(folder);
    comes_back<std::int64_t>(folder);
    comes_back<std::uint64_t>(folder);
    comes_back<bool>(folder);
}

BOOST_AUTO_TEST_CASE(lists_scalars_and_empty_arrays_come_back) {
    const TemporaryFolder folder;
    const std::vector<std::int64_t> list{5, -1, 1LL << 40};
    write_npy(folder / "list.npy", list);
    const auto back = read_npy<std::int64_t, 1>(folder / "list.npy");
    BOOST_TEST(std::vector<std::int64_t>(back.begin(), back.end()) == list, boost::test_tools::per_element());
    write_npy(folder / "scalar.npy", std::span<const double>(std::array{0.5}), {});
    BOOST_TEST((read_npy<double, 0>(folder / "scalar.npy")() == 0.5));
    write_npy(folder / "empty.npy", xt::xtensor<float, 2>(std::array<std::size_t, 2>{3, 0}));
    const auto empty = read_npy<float, 2>(folder / "empty.npy");
    BOOST_TEST(empty.shape()[0] == 3u);
    BOOST_TEST(empty.size() == 0u);
    BOOST_CHECK_THROW(
        write_npy(folder / "a.npy", std::span<const double>(std::array{0.5}), std::array<std::size_t, 1>{2}),
        ValueError);
}

BOOST_AUTO_TEST_CASE(a_shape_whose_product_does_not_fit_is_refused) {
    const TemporaryFolder folder;
    const std::size_t half = std::size_t{1} << 32;
    const auto refused = [&](std::array<std::size_t, 2> shape) {
        BOOST_CHECK_THROW(write_npy(folder / "a.npy", std::span<const double>(), shape), ValueError);
    };
    refused({half, half});  // 2^64 elements: 0 where it is not looked at
    refused({half, half / 8});
    refused({~std::size_t{0}, 1});
    BOOST_TEST(folder.names().empty());
}

// numpy.save of numpy.array([[1, 2, 3]], '<i2'), NumPy 2.4: our bytes are the same.
BOOST_AUTO_TEST_CASE(the_bytes_are_numpys) {
    const TemporaryFolder folder;
    const std::string text = "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 3), }";
    const std::string numpys = std::string("\x93NUMPY\x01\0v\0", 10) + text + std::string(118 - text.size() - 1, ' ') +
                               "\n" + std::string("\1\0\2\0\3\0", 6);
    const xt::xtensor<std::int16_t, 2> tensor{{1, 2, 3}};
    write_npy(folder / "a.npy", tensor);
    BOOST_TEST((read_whole_text(folder / "a.npy") == numpys));
    for (const std::size_t axes :
         {std::size_t{0}, std::size_t{1}, std::size_t{5}, std::size_t{2000}, std::size_t{30'000}}) {
        const std::vector<std::size_t> shape(axes, 1);
        const std::string head = format_npy_header("<f8", shape);
        BOOST_TEST(head.size() % 64 == 0u);
        BOOST_TEST(head.back() == '\n');
        const NpyHeader header = parse_npy_header(std::as_bytes(std::span(head)), "made here");
        BOOST_TEST((header == NpyHeader{"<f8", false, shape, head.size()}));
    }
}

BOOST_AUTO_TEST_CASE(what_others_write_is_read) {
    const TemporaryFolder folder;
    const std::string six = "\1\2\3\4\5\6";
    const auto read = [&](const std::string& bytes) {
        write_whole_file(folder / "a.npy", bytes);
        return read_npy<std::uint8_t, 2>(folder / "a.npy");
    };
    const xt::xtensor<std::uint8_t, 2> rows{{1, 2, 3}, {4, 5, 6}}, columns{{1, 3, 5}, {2, 4, 6}};
    BOOST_TEST((read(raw_file("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", six)) == rows));
    BOOST_TEST((read(raw_file("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n", six)) == columns));
    BOOST_TEST((read(raw_file("{\"shape\":(2,3,),\"descr\":\"<u1\",\"fortran_order\":False}", six)) == rows));
    BOOST_TEST((read(raw_file("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", six, 2)) == rows));
    BOOST_TEST((read(raw_file("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", six, 3)) == rows));
}

BOOST_AUTO_TEST_CASE(the_first_axis_running_fastest_is_turned_round) {
    const TemporaryFolder folder;
    std::string elements;
    for (int k = 0; k < 4; ++k)
        for (int j = 0; j < 3; ++j)
            for (int i = 0; i < 2; ++i) elements += static_cast<char>(100 * i + 10 * j + k);
    write_whole_file(folder / "a.npy",
                     raw_file("{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3, 4), }", elements));
    const auto tensor = read_npy<std::int8_t, 3>(folder / "a.npy");
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 3; ++j)
            for (int k = 0; k < 4; ++k) BOOST_TEST(int{tensor(i, j, k)} == 100 * i + 10 * j + k);
}

BOOST_AUTO_TEST_CASE(what_a_file_is_not_is_named) {
    const TemporaryFolder folder;
    const std::string good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
    const std::string eight(8, '\0');
    const auto about = [&](const std::string& bytes) { return complaint<float, 1>(folder, bytes); };
    const auto header = [&](const std::string& text) { return about(raw_file(text, eight)); };
    BOOST_TEST(header(good) == "accepted");
    says(about("no array at all"), "is no .npy file");
    says(about(""), "is no .npy file");
    says(about(raw_file(good, eight, 4)), "version 4");
    says(about(raw_file(good, eight.substr(1))), "holds 7 bytes of elements, which do not make up shape [2] of <f4");
    says(about(raw_file(good, eight + "x")), "holds 9 bytes");
    says(complaint<double, 1>(folder, raw_file(good, eight)), "type <f4, expected <f8");
    says(complaint<std::int32_t, 1>(folder, raw_file(good, eight)), "type <f4, expected <i4");
    says(complaint<float, 2>(folder, raw_file(good, eight)), "has 1 axes, expected 2");
    says(header("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }"), "type >f4");
    says(header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"),
         "not understood from character 10");
    says(header("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }"), "not understood");
    says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }"), "not understood");
    says(header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }"), "not understood");
    says(header("{'descr': '<f4', 'fortran_order': False, }"), "not understood");
    says(header("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"), "not understood");
    says(header(good + "x"), "not understood");
    says(header(""), "not understood");
    says(complaint<float, 2>(
             folder, raw_file("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "")),
         "do not make up shape");
    const std::string sound = raw_file(good, eight);
    for (std::size_t length = 0; length < sound.size(); ++length) says(about(sound.substr(0, length)), "odd.npy: ");
    BOOST_CHECK_THROW((read_npy<float, 1>(folder / "missing.npy")), FileError);
}

BOOST_AUTO_TEST_CASE(a_damaged_byte_is_refused_or_read_without_harm) {
    const TemporaryFolder folder;
    const std::string sound =
        raw_file("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n", std::string(8, '\0'));
    int refused = 0;
    for (std::size_t at = 0; at < sound.size(); ++at)
        for (int flip = 1; flip < 256; flip += 2) {
            std::string damaged = sound;
            damaged[at] = static_cast<char>(static_cast<unsigned char>(sound[at]) ^ flip);
            try {
                const NpyHeader header = parse_npy_header(std::as_bytes(std::span(damaged)), "damaged");
                BOOST_TEST(header.data_at <= sound.size());
            } catch (const FileError&) {
                ++refused;
            }
        }
    BOOST_TEST(refused > 1000);
}
