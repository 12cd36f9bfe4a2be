// safetensors files as bytes: what is read can be written, and is then read as the same.
#include <skewgrad/store/safetensors.hpp>
#include "fuzz/fuzz.hpp"

using namespace skewgrad;

void skewgrad_fuzz::fuzz(Piece input) {
    const TensorFile file = parse_safetensors(input, "input");
    const auto path = own_file("again.safetensors");
    write_safetensors(path, file);
    const TensorFile again = read_safetensors(path);
    if (again.metadata != file.metadata || safetensors::digest_of(again) != safetensors::digest_of(file)) std::abort();
}
