// IDX files as bytes: a pair of images and labels, for training and for testing, with and without class names.
#include <skewgrad/data/idx.hpp>
#include "fuzz/fuzz.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const bool named = in.ConsumeBool();
    const auto write = [](const char* name, const std::string& bytes) {
        const auto path = own_file(name);
        write_whole_file(path, bytes);
        return path;
    };
    const auto labels = write("labels", in.ConsumeRandomLengthString());
    const auto images = write("images", in.ConsumeRemainingBytesAsString());
    const Splits data =
        Idx::load(images, labels, images, labels, named ? Idx::fashion_names() : std::vector<std::string>{});
    if (data.train.images().size() != data.train.size() * static_cast<std::size_t>(data.train.shape().size()))
        std::abort();
    (void)data.test.counts();
}
