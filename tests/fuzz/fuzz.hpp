// libFuzzer's entry, and the rule that only skewgrad::Error may leave.
#pragma once
#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include <skewgrad/core/error.hpp>
#include <skewgrad/store/whole_file.hpp>
#include "fuzz/own_file.hpp"

namespace skewgrad_fuzz {

/// An input that is taken apart into numbers, texts and choices.
using Input = FuzzedDataProvider;

/// What a program does with one input: it returns, or throws skewgrad::Error. Anything else is a finding: a crash, a
/// sanitizer's report, another exception (an allocation beyond the limit included), more memory or time than run-for
/// allows.
void fuzz(skewgrad::Piece input);

/// Takes an input apart.
inline Input parts_of(skewgrad::Piece input) {
    return {reinterpret_cast<const std::uint8_t*>(input.data()), input.size()};
}

}  // namespace skewgrad_fuzz

// No handler for other exceptions: the stack that libFuzzer shows is then the one that threw.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        skewgrad_fuzz::fuzz(std::as_bytes(std::span(data, size)));
    } catch (const skewgrad::Error&) {
    }
    return 0;
}
