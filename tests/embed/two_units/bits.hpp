// What crosses between the units: names and bits, of types that no flag changes.
#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using Found = std::vector<std::pair<std::string, std::vector<std::uint32_t>>>;

Found compute_fast();
Found compute_modest();
