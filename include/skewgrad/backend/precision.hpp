// Tags that say what a backend stores and multiplies in; sums, masters and optimiser state are f32 (or double).
#pragma once
#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

struct f32 {};

}  // namespace SKEWGRAD_NAMESPACE
