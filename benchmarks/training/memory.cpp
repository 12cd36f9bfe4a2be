// links: command_line
// Peak memory of a process that trains the paper's network at batch 128 on 50,000 images, data and all.
#include <string>
#include <type_traits>

#include "../worker.hpp"
#include "subjects.hpp"

using namespace skewgrad;

int main(int argc, char** argv) {
    CLI::App app{"Peak memory of training the paper's network at batch 128 on 50,000 images"};
    worker::Settings settings;
    std::string backend = Cpu<f32>::name();
    int updates = 64;
    app.add_option("--backend", backend, "Which backend trains")->capture_default_str();
    add_number(app, "--updates", updates, 1, 1'000'000, "Updates to make; memory does not grow after the first");
    worker::add_settings(app, settings);
    return run_main(app, argc, argv, [&] {
        bool known = false;
        training::for_each_backend([&]<class B>(std::type_identity<B>) {
            if (backend != B::name()) return;
            known = true;
            const Splits data = worker::images(settings, 5000);
            training::Course<training::PaperNetwork, B> course(data.train, 128, typename B::Context(settings.threads));
            for (int i = 0; i < updates; ++i) course.session.advance();
            worker::say({{"backend", backend},
                         {"network", "paper"},
                         {"work", "memory"},
                         {"batch", 128},
                         {"threads", settings.threads},
                         {"images", data.train.size()},
                         {"updates", updates},
                         {"peak_mib", worker::peak_mebibytes()}});
        });
        if (!known) throw ValueError("there is no backend '" + backend + "'");
    });
}
