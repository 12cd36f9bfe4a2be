// CIFAR-10's and CIFAR-100's binary files: records with any labels, and cut off or too long by a few bytes.
#include <skewgrad/data/cifar.hpp>
#include "fuzz/fuzz.hpp"

using namespace skewgrad;

namespace {

/// A few records of `label_bytes` labels and pixels that cost the input nothing, then a few bytes.
void write_records(skewgrad_fuzz::Input& in, const std::string& name, std::size_t label_bytes) {
    std::string file;
    for (int records = in.ConsumeIntegralInRange(0, 3); records > 0; --records)
        file += in.ConsumeBytesAsString(label_bytes) + std::string(3072, in.ConsumeIntegral<char>());
    const auto path = skewgrad_fuzz::own_file(name);
    write_whole_file(path, file + in.ConsumeRandomLengthString(8));
}

void use(const Splits& data) {
    (void)data.train.images();
    (void)data.test.counts();
    for (const Label y : data.train.labels()) (void)data.train.of_class(y).images();
}

}  // namespace

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const auto folder = own_file("");
    if (in.ConsumeBool()) {
        for (int i = 1; i <= 5; ++i) write_records(in, "data_batch_" + std::to_string(i) + ".bin", 1);
        write_records(in, "test_batch.bin", 1);
        use(Cifar10::load(folder, cifar::Size::any));
    } else {
        for (const char* name : {"train.bin", "test.bin"}) write_records(in, name, 2);
        use(Cifar100::load(folder, in.ConsumeBool() ? Cifar100::Labels::fine : Cifar100::Labels::coarse,
                           cifar::Size::any));
    }
}
