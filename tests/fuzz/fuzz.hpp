// libFuzzer's entry, and the rule that only skewgrad::Error may leave.
#pragma once
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include <skewgrad/core/error.hpp>
#include <skewgrad/store/whole_file.hpp>
#include "fuzz/own_file.hpp"

namespace skewgrad_fuzz {

/// An input that is taken apart into numbers, texts and choices.
using Input = FuzzedDataProvider;

/// What a program does with one input: it returns, or throws skewgrad::Error. Anything else is a finding: a crash, a
/// sanitizer's report, another exception (an allocation beyond the limit included), an error's sentence that is not one
/// printable line, more memory or time than run-for allows.
void fuzz(skewgrad::Piece input);

/// Ends the program where a text that people are shown has bytes that a terminal obeys, other than the ends of at most
/// so many lines, or is longer than anybody reads.
inline void check_shown(std::string_view text, std::ptrdiff_t lines = 0) {
    const auto obeyed = [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; };
    if (text.size() > 4000 || std::ranges::any_of(text, obeyed) || std::ranges::count(text, '\n') > lines) std::abort();
}

/// Takes an input apart.
inline Input parts_of(skewgrad::Piece input) {
    return {reinterpret_cast<const std::uint8_t*>(input.data()), input.size()};
}

}  // namespace skewgrad_fuzz

// No handler for other exceptions: the stack that libFuzzer shows is then the one that threw.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    try {
        skewgrad_fuzz::fuzz(std::as_bytes(std::span(data, size)));
    } catch (const skewgrad::Error& error) {
        skewgrad_fuzz::check_shown(error.what());
    }
    return 0;
}
