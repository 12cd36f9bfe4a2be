// JSON from files: parsed within limits, looked at entry by entry, and never written where it cannot be.
#define BOOST_TEST_MODULE store_json
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <limits>
#include <skewgrad/store/json_entry.hpp>
#include <skewgrad/store/json_file.hpp>
#include <skewgrad/store/notes.hpp>
#include <skewgrad/store/safetensors.hpp>
#include <string>

#include "data/files.hpp"
#include "store/temporary_folder.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

std::string nested(int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += i % 2 == 0 ? "[" : "{\"a\":";
    text += "1";
    for (int i = depth; i-- > 0;) text += i % 2 == 0 ? "]" : "}";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(depth_and_size_are_limited_while_parsing) {
    BOOST_TEST(json_text(parse_json(nested(64), "f")) == nested(64));
    BOOST_CHECK_EXCEPTION(parse_json(nested(65), "f"), FileError, says({"f: it is JSON nested more than 64 deep"}));
    BOOST_CHECK_THROW(parse_json(nested(1'000'000), "f"), FileError);
    BOOST_CHECK_THROW(parse_json(std::string(1'000'000, '['), "f"), FileError);
    BOOST_CHECK_EXCEPTION(parse_json("[1, 2, 3]", "f", "its note", {.bytes = 8}), FileError,
                          says({"f: its note is JSON of 9 bytes, at most 8"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_an_error_of_ours) {
    BOOST_CHECK_EXCEPTION(parse_json("{\"a\": }", "f"), FileError, says({"f: it is no JSON from its byte 7"}));
    BOOST_CHECK_EXCEPTION(parse_json("[1e999]", "f"), FileError, says({"f: it is JSON with a number out of range"}));
    BOOST_CHECK_EXCEPTION(parse_json("[\"caf\xe9\"]", "f"), FileError, says({"f: it is no JSON"}));
    BOOST_CHECK_EXCEPTION(parse_json("{\"a\": {\"b\": 1, \"b\": 2}}", "f"), FileError, says({"it names \"b\" twice"}));
    BOOST_CHECK_THROW(parse_json("", "f"), FileError);
}

BOOST_AUTO_TEST_CASE(deep_json_in_a_file_or_a_note_is_refused_before_anything_is_made_of_it) {
    const TemporaryFolder folder;
    const std::string deep = nested(100'001);
    write_text(folder / "run.json", "{\"digest\": \"0\", \"a\": " + deep + "}");
    BOOST_CHECK_EXCEPTION(read_json(folder / "run.json"), FileError, says({"run.json", "nested more than 64 deep"}));
    TensorFile file;
    file.metadata["made_by"] = deep;
    write_safetensors(folder / "a", file);
    BOOST_CHECK_EXCEPTION(check_notes(read_safetensors(folder / "a"), {{"made_by", "{\"a\": 1}"}}), FileError,
                          says({"made by something else", "\"made_by\"", "..."}));
    std::string header = "{\"a\": " + deep + "}";
    header.insert(0, std::string("\0\0\0\0\0\0\0\0", 8));
    const std::uint64_t length = header.size() - 8;
    std::memcpy(header.data(), &length, 8);
    BOOST_CHECK_EXCEPTION(parse_safetensors(std::as_bytes(std::span(header)), "s"), FileError,
                          says({"s: its header is JSON nested"}));
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_is_named_and_not_written) {
    const TemporaryFolder folder;
    const nlohmann::json names = {{"names", {"cat", "caf\xe9"}}};
    BOOST_CHECK_EXCEPTION(json_text(names), ValueError, says({"caf\\xe9", "no UTF-8 from its byte 4"}));
    BOOST_CHECK_EXCEPTION(json_text(nlohmann::json{{"k\xff", 1}}), ValueError, says({"k\\xff"}));
    BOOST_CHECK_THROW(write_json(folder / "a", names), ValueError);
    BOOST_TEST(folder.names().empty());
    TensorFile file;
    file.metadata["note"] = "caf\xe9";
    BOOST_CHECK_EXCEPTION(write_safetensors(folder / "a", file), ValueError, says({"caf\\xe9"}));
}

BOOST_AUTO_TEST_CASE(an_entry_is_what_is_asked_for_or_named_with_its_place) {
    const nlohmann::json document =
        parse_json(R"({"a": {"list": [1, -2, 1e300, 2.5, null, 18446744073709551615]}, "t": "x", "b": true})", "f");
    const JsonEntry entry(document, "run.json");
    const auto list = entry.at("a").at("list").list();
    BOOST_TEST(list[0].whole<int>() == 1);
    BOOST_TEST(list[1].whole<std::int64_t>() == -2);
    BOOST_TEST(list[5].whole<std::uint64_t>() == std::numeric_limits<std::uint64_t>::max());
    BOOST_CHECK_EXCEPTION(list[5].whole<std::int64_t>(), FileError,
                          says({"run.json: a.list.5 is 18446744073709551615"}));
    BOOST_CHECK_EXCEPTION(list[1].whole<std::size_t>(), FileError,
                          says({"a.list.1 is -2, must be a whole number from 0"}));
    BOOST_CHECK_EXCEPTION(list[2].whole<std::uint64_t>(), FileError, says({"a.list.2 is 1e+300"}));
    BOOST_CHECK_THROW(list[3].whole<int>(), FileError);
    BOOST_CHECK_EXCEPTION(list[0].whole<int>(2, 5), FileError, says({"is 1, must be a whole number from 2 to 5"}));
    BOOST_TEST(list[3].number() == 2.5);
    BOOST_CHECK_EXCEPTION(list[3].number(0, 1), FileError, says({"is 2.5, must be a number from 0.0 to 1.0"}));
    BOOST_CHECK_THROW(list[4].number(), FileError);
    BOOST_TEST(list[4].number_or(7) == 7);
    BOOST_TEST(entry.at("t").text() == "x");
    BOOST_TEST(entry.at("b").truth());
    BOOST_TEST((entry.has("b") && !entry.has("c")));
    BOOST_CHECK_EXCEPTION(entry.at("c"), FileError, says({"run.json: it has no \"c\""}));
    BOOST_CHECK_EXCEPTION(entry.at("a").at("c"), FileError, says({"run.json: a has no \"c\""}));
    BOOST_CHECK_EXCEPTION(entry.at("t").at("c"), FileError, says({"t is \"x\", must be an object"}));
    BOOST_CHECK_EXCEPTION(entry.at("a").text(), FileError, says({"must be a text"}));
    BOOST_CHECK_EXCEPTION(entry.at("a").list(), FileError, says({"must be a list"}));
    BOOST_CHECK_EXCEPTION(entry.at("t").truth(), FileError, says({"must be true or false"}));
    BOOST_TEST(entry.at("a").members().front().second.list().size() == 6u);
}

BOOST_AUTO_TEST_CASE(what_foreign_files_say_is_quoted_within_bounds) {
    TensorFile file;
    file.source = "theirs";
    file.metadata["made_by"] = "\x1b[31m" + std::string(100'000, 'x');
    try {
        check_notes(file, {{"made_by", std::string(100'000, 'y')}});
        BOOST_ERROR("accepted");
    } catch (const FileError& error) {
        const std::string said = error.what();
        BOOST_TEST(said.size() < 400u);
        BOOST_TEST(said.find("\\x1b[31mxxx") != std::string::npos);
    }
    file.tensors.push_back({std::string(100'000, 'n'), Dtype::f32, std::vector<std::int64_t>(100'000, 1), {}});
    try {
        file.at(file.tensors[0].name, Dtype::f64, {});
        BOOST_ERROR("accepted");
    } catch (const FileError& error) {
        BOOST_TEST(std::string(error.what()).size() < 400u);
    }
}
