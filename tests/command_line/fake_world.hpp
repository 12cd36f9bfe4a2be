// A terminal that is a string, and a clock that is a number.
#pragma once
#include <sstream>
#include <string>

#include <skewgrad/command_line/progress.hpp>

namespace skewgrad_tests {

struct FakeWorld {
    std::ostringstream out;
    double now = 1000;
    int columns = 100;

    skewgrad::Display display(bool terminal) {
        skewgrad::Display made;
        made.out = &out;
        made.terminal = terminal;
        made.columns = [this] { return columns; };
        made.now_seconds = [this] { return now; };
        return made;
    }
    /// What was written since the last call.
    std::string said() {
        std::string text = out.str();
        out.str("");
        return text;
    }
};

}  // namespace skewgrad_tests
