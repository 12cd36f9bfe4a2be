// The safetensors format: exact bytes, files of others, and every way a small file can be damaged.
#define BOOST_TEST_MODULE store_safetensors
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <skewgrad/store/safetensors.hpp>
#include <string>
#include <vector>

#include "store/temporary_folder.hpp"

using namespace skewgrad;
using skewgrad_tests::TemporaryFolder;

namespace {

/// A file with the given header and data bytes 0, 1, 2, ...
std::string raw_file(const std::string& header, std::size_t data_bytes) {
    const std::uint64_t length = header.size();
    std::string file(8, '\0');
    std::memcpy(file.data(), &length, 8);
    file += header;
    for (std::size_t i = 0; i < data_bytes; ++i) file += static_cast<char>(i);
    return file;
}

TensorFile parse(const std::string& bytes) {
    return parse_safetensors(std::as_bytes(std::span(bytes)), "some.safetensors");
}

/// What the FileError says about a header, "accepted" where there is none.
std::string verdict(const std::string& header, std::size_t data_bytes) {
    try {
        (void)parse(raw_file(header, data_bytes));
    } catch (const FileError& error) {
        BOOST_TEST(error.file() == "some.safetensors");
        BOOST_TEST(std::string(error.what()).find('\n') == std::string::npos);
        return error.what();
    }
    return "accepted";
}

bool says(const std::string& verdict, const std::string& part) {
    BOOST_TEST_INFO("it says: " << verdict);
    const bool found = verdict.find(part) != std::string::npos;
    BOOST_TEST(found);
    return found;
}

TensorFile small_file() {
    TensorFile file;
    file.tensors.push_back(make_tensor<float>("conv.weight", {2, 1, 2}, std::array{1.0f, -0.0f, 1e-45f, 3.4e38f}));
    file.tensors.push_back(make_tensor<std::uint8_t>("bytes", {3}, std::array<std::uint8_t, 3>{0, 127, 255}));
    file.tensors.push_back(make_tensor<double>("scalar", {}, std::array{0.1}));
    file.tensors.push_back(make_tensor<std::int64_t>("empty", {0, 4}, std::span<const std::int64_t>()));
    file.metadata = {{"network", "tiny \"net\"\n"}, {"round", "7"}};
    return file;
}

bool well_formed(const TensorFile& file) {
    return std::all_of(file.tensors.begin(), file.tensors.end(),
                       [](const Tensor& t) { return bytes_of_shape(t.shape, bytes_of(t.dtype)) == t.bytes.size(); });
}

bool same_tensors(const TensorFile& a, const TensorFile& b) {
    return a.tensors.size() == b.tensors.size() &&
           std::all_of(a.tensors.begin(), a.tensors.end(), [&](const Tensor& t) {
               const Tensor* other = b.find(t.name);
               return other != nullptr && *other == t;
           });
}

/// Calls `look` with `sound` damaged in one byte, for every byte: each of its bits turned, all of them turned, or a
/// letter in its place that means something in a header.
template <class Look>
void damage_each_byte(const std::string& sound, Look&& look) {
    for (std::size_t at = 0; at < sound.size(); ++at) {
        std::string others = "\xff\"{}[],:\\ 0123456789-.eFUI";
        others += '\0';
        for (int bit = 0; bit < 8; ++bit) others += static_cast<char>(sound[at] ^ (1 << bit));
        others += static_cast<char>(~sound[at]);
        std::string damaged = sound;
        for (const char other : others) {
            damaged[at] = other;
            if (other != sound[at]) look(damaged);
        }
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(tensors_and_notes_come_back) {
    const TemporaryFolder folder;
    const TensorFile file = small_file();
    write_safetensors(folder / "a", file);
    const TensorFile back = read_safetensors(folder / "a");
    BOOST_TEST(same_tensors(file, back));
    BOOST_TEST((back.metadata == file.metadata));
    BOOST_TEST(back.source == (folder / "a").string());
    const auto weights = back.values<float>("conv.weight", std::array<std::int64_t, 3>{2, 1, 2});
    BOOST_TEST(weights.size() == 4u);
    BOOST_TEST(weights[2] == 1e-45f);
    BOOST_TEST(std::signbit(weights[1]));
    BOOST_TEST(back.at("scalar").values<double>()[0] == 0.1);
    BOOST_TEST(back.at("empty").values<std::int64_t>().empty());
    BOOST_TEST(back.note("round") == "7");
}

BOOST_AUTO_TEST_CASE(the_bytes_are_these) {
    const TemporaryFolder folder;
    TensorFile file;
    file.tensors.push_back(make_tensor<std::uint16_t>("u", {2}, std::array<std::uint16_t, 2>{1, 0x203}));
    file.tensors.push_back(make_tensor<float>("w", {1, 1}, std::array{1.0f}));
    write_safetensors(folder / "a", file);
    const std::string bytes = read_whole_text(folder / "a");
    const std::string before = R"({"__metadata__":{"skewgrad.digest":")";
    const std::string after = R"("},"w":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                              R"("u":{"dtype":"U16","shape":[2],"data_offsets":[4,8]}})";
    const std::size_t header = before.size() + 16 + after.size();
    const std::size_t padded = (header + 7) / 8 * 8;
    BOOST_TEST(bytes.size() == 8 + padded + 8);
    BOOST_TEST(static_cast<unsigned char>(bytes[0]) == padded);
    BOOST_TEST(bytes.substr(1, 7) == std::string(7, '\0'));
    BOOST_TEST(bytes.substr(8, before.size()) == before);
    BOOST_TEST(bytes.substr(8 + before.size() + 16, after.size()) == after);
    BOOST_TEST(bytes.substr(8 + header, padded - header) == std::string(padded - header, ' '));
    BOOST_TEST(bytes.substr(8 + padded) == std::string("\0\0\x80\x3f\x01\0\x03\x02", 8));
}

BOOST_AUTO_TEST_CASE(equal_content_gives_equal_bytes) {
    const TemporaryFolder folder;
    TensorFile file = small_file();
    write_safetensors(folder / "a", file);
    std::reverse(file.tensors.begin(), file.tensors.end());
    write_safetensors(folder / "b", file);
    write_safetensors(folder / "c", read_safetensors(folder / "a"));
    BOOST_TEST(read_whole_text(folder / "a") == read_whole_text(folder / "b"));
    BOOST_TEST(read_whole_text(folder / "a") == read_whole_text(folder / "c"));
}

// Several empty tensors share a place: their order in the file must not decide whether the digest matches.
BOOST_AUTO_TEST_CASE(many_empty_tensors_come_back) {
    const TemporaryFolder folder;
    TensorFile file;
    for (const char* name : {"z", "a", "m"}) file.tensors.push_back(Tensor{name, Dtype::f64, {0}, {}});
    for (const char* name : {"y", "b", "n"}) file.tensors.push_back(Tensor{name, Dtype::u8, {3, 0}, {}});
    file.tensors.push_back(make_tensor<float>("full", {1}, std::array{2.0f}));
    write_safetensors(folder / "a", file);
    BOOST_TEST(same_tensors(file, read_safetensors(folder / "a")));
    write_safetensors(folder / "none", TensorFile{});
    BOOST_TEST(read_safetensors(folder / "none").tensors.empty());
}

// Written by the format's own Python library 0.8.0 with numpy: {"b": float32 [[1, 2]], "a": float64 0.5, "i": int8
// [-1]}.
BOOST_AUTO_TEST_CASE(a_file_of_the_formats_own_library_is_read) {
    const std::string header = R"({"__metadata__":{"format":"np"},"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                               R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]},)"
                               R"("i":{"dtype":"I8","shape":[1],"data_offsets":[16,17]}}      )";
    std::string bytes = raw_file(header, 0);
    bytes += std::string("\0\0\0\0\0\0\xe0\x3f\0\0\x80\x3f\0\0\0\x40\xff", 17);
    const TensorFile file = parse(bytes);
    BOOST_TEST(file.note("format") == "np");
    BOOST_TEST(file.at("a").values<double>()[0] == 0.5);
    BOOST_TEST(file.values<float>("b", std::array<std::int64_t, 2>{1, 2})[1] == 2.0f);
    BOOST_TEST(file.at("i").values<signed char>()[0] == -1);
}

BOOST_AUTO_TEST_CASE(what_the_format_forbids_is_named) {
    const std::string good = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
    BOOST_TEST(verdict(good, 8) == "accepted");
    BOOST_TEST(verdict(good + "   ", 8) == "accepted");
    BOOST_TEST(verdict(R"({})", 0) == "accepted");
    const auto one = [](const std::string& entry, std::size_t bytes) {
        return verdict(R"({"w":)" + entry + "}", bytes);
    };

    says(verdict("", 0), "does not begin with '{'");
    says(verdict(" {}", 0), "does not begin with '{'");
    says(verdict(R"({"w":)", 8), "is no JSON");
    says(verdict("{\"\xff\":1}", 8), "is no JSON");
    says(verdict(good + "x", 8), "is no JSON");
    says(verdict(std::string(100'000, '{'), 0), "is no JSON");
    says(verdict(R"({"w":1e999})", 0), "out of range");
    says(verdict(R"({"w":[]})", 0), "\"w\"");
    says(verdict(good, 7), "\"w\": its data, bytes 0 to 8, lies outside the 7 bytes");
    says(verdict(good, 9), "end at byte 8 of 9");
    says(one(R"({"dtype":"F32","shape":[2]})", 8), "dtype, shape and data_offsets");
    says(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1})", 8), "dtype, shape and data_offsets");
    says(one(R"({"dtype":"F33","shape":[2],"data_offsets":[0,8]})", 8), "unknown dtype \"F33\"");
    says(one(R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})", 8), "dtype is no text");
    says(one(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})", 8), "shape is no list");
    says(one(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})", 8), "shape is no list");
    says(one(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})", 8), "shape is no list");
    says(one(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})", 8), "shape [3] of F32 does not fill bytes 0 to 8");
    says(one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]})", 0), "does not fill");
    says(one(R"({"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]})", 8), "shape is no list");
    says(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})", 8), "not two whole numbers");
    says(one(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})", 8), "bytes 8 to 0");
    says(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,-8]})", 8), "not two whole numbers");
    const std::string v = R"(,"v":{"dtype":"U8","shape":[2],"data_offsets":)";
    const std::string w = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    says(verdict(w + v + "[7,9]}}", 9), "\"v\": its data begins at byte 7, the one before it ends at 8");
    says(verdict(w + v + "[9,11]}}", 11), "\"v\": its data begins at byte 9, the one before it ends at 8");
    says(verdict(w + "," + good.substr(1), 8), "names \"w\" twice");
    says(verdict(R"({"__metadata__":{"k":"1","k":"2"}})", 0), "names \"k\" twice");
    says(verdict(R"({"__metadata__":{"k":1}})", 0), "note \"k\" is no text");
    says(verdict(R"({"__metadata__":[]})", 0), "__metadata__ is no object");
    says(verdict(R"({"__metadata__":{"skewgrad.digest":"0123456789abcdef"}})", 0), "damaged");
    says(verdict("{\"line\\nbreak\":1}", 0), "\"line\\x0abreak\"");

    for (const std::size_t length : {std::size_t{0}, std::size_t{7}})
        BOOST_CHECK_THROW((void)parse(std::string(length, '\1')), FileError);
    const std::string huge(8, '\xff');  // a header of 2^64 - 1 bytes
    BOOST_CHECK_THROW((void)parse(huge + good), FileError);
}

BOOST_AUTO_TEST_CASE(a_damaged_byte_anywhere_changes_no_tensor_unseen) {
    const TemporaryFolder folder;
    const TensorFile file = small_file();
    write_safetensors(folder / "a", file);
    const std::string sound = read_whole_text(folder / "a");
    int accepted = 0, refused = 0, wrong = 0;
    damage_each_byte(sound, [&](const std::string& damaged) {
        try {
            wrong += !same_tensors(parse(damaged), file);
            ++accepted;
        } catch (const FileError&) {
            ++refused;
        }
    });
    BOOST_TEST_MESSAGE(accepted << " of " << accepted + refused
                                << " damaged files were read: other spaces, or the digest's name");
    BOOST_TEST(wrong == 0);
    BOOST_TEST(refused > 20 * accepted);
}

BOOST_AUTO_TEST_CASE(a_damaged_byte_in_a_file_without_a_digest_is_refused_or_well_formed) {
    const std::string sound =
        raw_file(R"({"__metadata__":{"format":"np"},"a":{"dtype":"F64","shape":[],"data_offsets":[0,8]},)"
                 R"("b":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}})",
                 16);
    int malformed = 0, refused = 0;
    damage_each_byte(sound, [&](const std::string& damaged) {
        try {
            malformed += !well_formed(parse(damaged));
        } catch (const FileError&) {
            ++refused;
        }
    });
    BOOST_TEST(malformed == 0);
    BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_CASE(a_file_cut_off_or_too_long_is_refused) {
    const TemporaryFolder folder;
    write_safetensors(folder / "a", small_file());
    const std::string sound = read_whole_text(folder / "a");
    int read = 0;
    for (std::size_t length = 0; length < sound.size(); ++length) {
        try {
            (void)parse(sound.substr(0, length));
            ++read;
        } catch (const FileError&) {
        }
    }
    BOOST_TEST(read == 0);
    BOOST_CHECK_THROW((void)parse(sound + '\0'), FileError);
    BOOST_CHECK_THROW((void)read_safetensors(folder / "missing"), FileError);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_written_is_refused) {
    const TemporaryFolder folder;
    const auto refused = [&](const TensorFile& file) {
        try {
            write_safetensors(folder / "a", file);
        } catch (const ValueError&) {
            return folder.names().empty();
        }
        return false;
    };
    const Tensor one = make_tensor<float>("w", {1}, std::array{1.0f});
    BOOST_TEST(refused({{one, one}, {}}));
    BOOST_TEST(refused({{Tensor{"w", Dtype::f32, {2}, one.bytes}}, {}}));
    BOOST_TEST(refused({{Tensor{"w", Dtype::f32, {-1}, one.bytes}}, {}}));
    BOOST_TEST(refused({{Tensor{"__metadata__", Dtype::f32, {1}, one.bytes}}, {}}));
    BOOST_TEST(refused({{Tensor{"\xff", Dtype::f32, {1}, one.bytes}}, {}}));
    BOOST_TEST(refused({{one}, {{"note", "\xc0"}}}));
    BOOST_TEST(refused({{one}, {{std::string(digest_note), "x"}}}));
    BOOST_CHECK_THROW(make_tensor<float>("w", {2, 2}, std::array{1.0f}), ValueError);
    BOOST_CHECK_THROW((void)one.values<double>(), ValueError);
    BOOST_CHECK_THROW((void)one.values<std::int32_t>(), ValueError);
}

BOOST_AUTO_TEST_CASE(what_is_missing_or_other_than_expected_is_named) {
    const TensorFile file = small_file();
    const auto said = [&](auto action) -> std::string {
        try {
            action();
        } catch (const FileError& error) {
            return error.what();
        }
        return "nothing";
    };
    BOOST_TEST(said([&] { (void)file.at("conv.bias"); }) == "tensors in memory: has no tensor \"conv.bias\"");
    BOOST_TEST(said([&] { (void)file.note("seed"); }) == "tensors in memory: has no note \"seed\"");
    BOOST_TEST(said([&] { (void)file.values<float>("conv.weight", std::array<std::int64_t, 2>{2, 2}); }) ==
               "tensors in memory: tensor \"conv.weight\" is F32 [2, 1, 2], expected F32 [2, 2]");
    BOOST_TEST(said([&] { (void)file.values<float>("scalar", std::span<const std::int64_t>()); }) ==
               "tensors in memory: tensor \"scalar\" is F64 [], expected F32 []");
}

BOOST_AUTO_TEST_CASE(dtypes_and_shapes) {
    for (std::size_t i = 0; i < dtypes::all.size(); ++i) {
        const Dtype type = static_cast<Dtype>(i);
        BOOST_TEST((dtype_named(name_of(type)) == type));
        const std::string name(name_of(type));
        if (type != Dtype::boolean)
            BOOST_TEST(name.substr(name.find_first_of("0123456789")) == std::to_string(8 * bytes_of(type)));
    }
    static_assert(dtype_of<std::int64_t>() == Dtype::i64 && dtype_of<long long>() == Dtype::i64);
    static_assert(dtype_of<unsigned char>() == Dtype::u8 && dtype_of<std::uint32_t>() == Dtype::u32);
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    BOOST_TEST((bytes_of_shape(std::array<std::int64_t, 2>{3, 4}, 4) == 48u));
    BOOST_TEST((bytes_of_shape({}, 8) == 8u));
    BOOST_TEST((bytes_of_shape(std::array<std::int64_t, 2>{0, most}, 1) == 0u));
    BOOST_TEST((bytes_of_shape(std::array<std::int64_t, 1>{most}, 1) == static_cast<std::size_t>(most)));
    BOOST_TEST((bytes_of_shape(std::array<std::int64_t, 1>{most}, 2) == std::nullopt));
    BOOST_TEST((bytes_of_shape(std::array<std::int64_t, 1>{-1}, 1) == std::nullopt));
}
