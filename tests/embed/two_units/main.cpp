// Compares, bit for bit, what two differently built units of one program computed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

std::vector<std::uint32_t> compute_fast();
std::vector<std::uint32_t> compute_modest();

int main() {
    const auto fast = compute_fast();
    const auto modest = compute_modest();
    if (fast.empty() || fast.size() != modest.size()) {
        std::printf("%zu and %zu values\n", fast.size(), modest.size());
        return 1;
    }
    std::size_t differ = 0;
    for (std::size_t i = 0; i < fast.size(); ++i) differ += fast[i] != modest[i];
    std::printf("%zu of %zu values differ\n", differ, fast.size());
    return differ == 0 ? 0 : 1;
}
