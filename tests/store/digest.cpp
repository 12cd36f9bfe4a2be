// The digest against published values of its algorithm, and what it must tell apart.
#define BOOST_TEST_MODULE store_digest
#include <boost/test/unit_test.hpp>
#include <set>
#include <skewgrad/store/digest.hpp>
#include <string>

using skewgrad::Digest;

namespace {
std::string of_bytes(const std::string& text) { return Digest().bytes(std::as_bytes(std::span(text))).hex(); }
}  // namespace

// The test vectors of the algorithm's authors.
BOOST_AUTO_TEST_CASE(known_values) {
    BOOST_TEST(of_bytes("") == "cbf29ce484222325");
    BOOST_TEST(of_bytes("a") == "af63dc4c8601ec8c");
    BOOST_TEST(of_bytes("foobar") == "85944171f73967e8");
}

BOOST_AUTO_TEST_CASE(texts_keep_their_bounds) {
    BOOST_TEST(Digest().text("ab").text("c").hex() != Digest().text("a").text("bc").hex());
    BOOST_TEST(Digest().text("").text("x").hex() != Digest().text("x").text("").hex());
    BOOST_TEST(Digest().number(1).value() == Digest().bytes(std::as_bytes(std::span("\1\0\0\0\0\0\0", 8))).value());
    static_assert(Digest().number(258).value() != Digest().number(513).value());
}

BOOST_AUTO_TEST_CASE(every_change_of_one_byte_shows) {
    const std::string text = "a line of some text";
    std::set<std::string> seen{of_bytes(text)};
    for (std::size_t at = 0; at < text.size(); ++at)
        for (int flip = 1; flip < 256; ++flip) {
            std::string other = text;
            other[at] = static_cast<char>(static_cast<unsigned char>(other[at]) ^ flip);
            seen.insert(of_bytes(other));
        }
    BOOST_TEST(seen.size() == 1 + 255 * text.size());
}
