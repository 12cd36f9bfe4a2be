// Compares, bit for bit, what two differently built units of one program computed.
#include <cstddef>
#include <cstdio>
#include <set>

#include "bits.hpp"

int main() {
    const Found fast = compute_fast(), modest = compute_modest();
    if (fast.size() < 30 || fast.size() != modest.size()) {
        std::printf("%zu and %zu results\n", fast.size(), modest.size());
        return 1;
    }
    int bad = 0;
    for (std::size_t i = 0; i < fast.size(); ++i) {
        const auto& [name, a] = fast[i];
        const auto& [other_name, b] = modest[i];
        // Numbers that are all the same would agree whatever was computed.
        const bool varied = std::set(a.begin(), a.end()).size() > 2;
        std::size_t differ = a.size() > b.size() ? a.size() - b.size() : b.size() - a.size();
        for (std::size_t k = 0; k < a.size() && k < b.size(); ++k) differ += a[k] != b[k];
        const bool good = name == other_name && varied && differ == 0;
        std::printf("%-36s %s: %zu of %zu differ%s\n", name.c_str(), good ? "ok" : "BAD", differ, a.size(),
                    varied ? "" : ", and there is nothing to tell apart");
        bad += !good;
    }
    return bad == 0 ? 0 : 1;
}
