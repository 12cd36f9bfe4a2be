// JSON files with a digest: any text, and any object under a digest that is right; where two of them differ.
#include <skewgrad/store/json_file.hpp>
#include "fuzz/edits.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const auto path = own_file("file.json");
    const bool digest = in.ConsumeBool();
    nlohmann::json wanted = {{"a", {1, 2.5, {{"b", nullptr}}}}, {"text", "words"}, {"c", nlohmann::json::object()}};
    if (digest) {
        nlohmann::json changed = wanted;
        for (int left = in.ConsumeIntegralInRange(1, 6); left > 0; --left) edit(changed, in);
        write_whole_file(path, changed.is_object() ? with_digest(changed, in) : text_of(changed, in));
    } else {
        write_whole_file(path, in.ConsumeRemainingBytesAsString());
    }
    const nlohmann::json found = read_json(path);
    if (found.contains("digest")) std::abort();
    if (const auto difference = first_difference(found, wanted); difference.has_value() == (found == wanted))
        std::abort();
    write_json(path, found);
    if (read_json(path) != found) std::abort();
}
