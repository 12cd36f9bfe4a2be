// The reference backend: every layer written plainly on xtensor, in double or float. The oracle of the others.
#pragma once
#include <concepts>
#include <string>

#include <skewgrad/backend/host/program.hpp>
#include <skewgrad/backend/reference/stages.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Planar storage in T; Real, the boundary's element type, is T too, so that Reference<double> is double throughout.
template <std::floating_point T>
struct Reference {
    using Real = T;
    using Edge = T;
    using Value = T;
    using Sum = T;
    struct Context {
        Context() = default;
        explicit Context(int) {}  ///< one thread, whatever is asked for: plain loops, and BLAS as it sees fit
        Context beside(int) const { return *this; }
        int threads() const { return 1; }
        std::string description() const { return "xtensor-blas"; }
        void wait() {}
    };
    static std::string name() { return sizeof(T) == 8 ? "reference-f64" : "reference-f32"; }
    static constexpr host::Layout layout(Shape s, bool) { return host::planar(s); }
    template <class Tape, Shape Image>
    using Program = host::Program<Reference, Tape, Image>;
};

}  // namespace SKEWGRAD_NAMESPACE
