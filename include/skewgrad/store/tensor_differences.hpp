// Differences of a file of tensors (missing, unexpected or different tensors), collected for one error.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <skewgrad/core/config.hpp>
#include <skewgrad/core/error.hpp>
#include <skewgrad/store/tensor.hpp>

namespace SKEWGRAD_NAMESPACE {

struct TensorDifferences {
    std::vector<std::string> missing;     ///< names
    std::vector<std::string> unexpected;  ///< names
    std::vector<std::string> different;   ///< sentences without a full stop

    bool none() const { return missing.empty() && unexpected.empty() && different.empty(); }

    /// Throws FileError if there is any difference. It names all of them; of a long list, the first ones.
    void raise(const TensorFile& file) const {
        if (none()) return;
        std::string all;
        const auto list = [&all](const char* what, const std::vector<std::string>& items, bool names) {
            constexpr std::size_t most = 6;
            if (items.empty()) return;
            all += all.empty() ? what : std::string("; ") + what;
            for (std::size_t i = 0; i < std::min(most, items.size()); ++i)
                all += (i > 0 ? ", " : "") + (names ? in_quotes(items[i]) : items[i]);
            if (items.size() > most) all += " and " + std::to_string(items.size() - most) + " more";
        };
        list("it lacks ", missing, true);
        list("it has besides ", unexpected, true);
        list("", different, false);
        throw FileError(file.source, "holds other tensors than are wanted: " + all);
    }
};

}  // namespace SKEWGRAD_NAMESPACE
