// Files of a network's parameters, changed behind a right digest: what is accepted answers.
#include <skewgrad/store/network_file.hpp>
#include "fuzz/edits.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

const std::vector<std::byte>& valid() {
    static const std::vector<std::byte> bytes = [] {
        const auto path = skewgrad_fuzz::own_file("valid.safetensors");
        save_parameters(SmallModel(Seed{1}, one_thread), path, {{"made by", R"({"rounds": 3, "of": ["a", "b"]})"}});
        return read_whole_file(path);
    }();
    return bytes;
}

}  // namespace

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const auto path = own_file("network.safetensors");
    const bool noted = in.ConsumeBool();
    write_edited(path, valid(), in);
    SmallModel model(Seed{2}, one_thread);
    load_parameters(model, path, noted ? Notes{{"made by", R"({"rounds": 3, "of": ["a", "b"]})"}} : Notes{});
    (void)model.logits(TestData(small_store()).images(0, 1));
}
