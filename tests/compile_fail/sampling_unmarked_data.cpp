// A user's own data set is sampled once it says what it is for; one that says nothing is not.
// expects: MarkedAsTrainingData
#include <cstdint>
#include <vector>

#include <skewgrad/sampling/long_tail.hpp>

using namespace skewgrad;

struct Unmarked {
    std::vector<Label> labels() const { return {}; }
    std::vector<std::uint32_t> items() const { return {}; }
    int classes() const { return 10; }
};

struct Marked : Unmarked {
    enum class Use { training, test };
    static constexpr Use split = Use::training;
    Marked select(const std::vector<std::uint32_t>&) const { return *this; }
};

inline Marked allowed(const Marked& data) { return Sampler<LongTail>{.ratio = 100}(data, Seed{7}); }

#ifdef SKEWGRAD_MUST_FAIL
inline Unmarked refused(const Unmarked& data) { return Sampler<LongTail>{.ratio = 100}(data, Seed{7}); }
#endif
