// Checkpoints of a training session, changed behind a right digest: what is accepted can be trained on.
#include <skewgrad/train/trainer.hpp>
#include "fuzz/edits.hpp"
#include "train/small.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

/// A session of the smallest training that uses every part of a checkpoint.
struct Training {
    Parts parts = small_parts();
    SmallModel model{Seed{1}, one_thread};
    Session<SmallNet, Cpu<f32>, RmsProp, CrossEntropy> session =
        Trainer{RmsProp{}, Recipe{.batch = 8, .rounds = 3, .updates_per_round = 1}}.session(model, parts.fit,
                                                                                            parts.validation);
};

/// What such a session saves after a round.
const std::vector<std::byte>& valid() {
    static const std::vector<std::byte> bytes = [] {
        Training t;
        t.session.advance();
        const auto path = skewgrad_fuzz::own_file("valid.safetensors");
        t.session.save(path);
        return read_whole_file(path);
    }();
    return bytes;
}

}  // namespace

void skewgrad_fuzz::fuzz(Piece input) {
    Input in = parts_of(input);
    const auto path = own_file("checkpoint.safetensors");
    write_edited(path, valid(), in);
    Training t;
    t.session.load(path);
    if (!t.session.finished()) t.session.advance();
    t.session.save(path);
}
