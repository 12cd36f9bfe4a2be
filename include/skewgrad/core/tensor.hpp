// xt::xtensor, the type of images and logits in the interface, and a check that it is row-major.
#pragma once
#include <xtensor/xtensor.hpp>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

static_assert(XTENSOR_DEFAULT_LAYOUT == xt::layout_type::row_major,
              "skewgrad: XTENSOR_DEFAULT_LAYOUT must be row_major: images are read as N x C x H x W in that order. "
              "Give a tensor of yours another layout by its own template argument; it is converted when it is passed");
static_assert(
    XTENSOR_DEFAULT_TRAVERSAL == xt::layout_type::row_major,
    "skewgrad: XTENSOR_DEFAULT_TRAVERSAL must be row_major: elements of images and logits are visited in that "
    "order");

}  // namespace SKEWGRAD_NAMESPACE
