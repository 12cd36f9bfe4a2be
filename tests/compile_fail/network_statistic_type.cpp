// A layer of a user's whose statistic has another type than its parameters would never move.
// expects: a gather layer's `statistic\(in, p, k\)` must return the type of p\[k\]
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>

using namespace skewgrad;

template <class Number>
struct Follows {
    static constexpr const char* name = "follows";
    static constexpr float momentum = 0.5f;
    static constexpr Parameters<1> parameters(Shape in) {
        return {Parameter{"seen", {in.c, 1, 1, 1}, Role::statistic}};
    }
    template <class View, class P>
    SKEWGRAD_FN static auto value(View in, P p, int c, int h, int w) {
        return in(c, h, w) - p[c];
    }
    template <class View, class Gradient, class P>
    SKEWGRAD_FN static auto input_gradient(View, Gradient d_out, P, int c, int h, int w) {
        return d_out(c, h, w);
    }
    template <class View, class P>
    SKEWGRAD_FN static auto statistic(View in, P, int k) {
        return static_cast<Number>(in(k, 0, 0));
    }
};
struct Allowed : Network<Image<3, 4, 4>, Follows<float>, Dense<4>> {};
int allowed() { return Model<Allowed, Cpu<f32>>(Seed{1}).context().threads(); }

#ifdef SKEWGRAD_MUST_FAIL
struct Refused : Network<Image<3, 4, 4>, Follows<double>, Dense<4>> {};
int refused() { return Model<Refused, Cpu<f32>>(Seed{1}).context().threads(); }
#endif
