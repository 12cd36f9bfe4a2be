// Tests a user's own claims: a claim is a type, a small study gives the evidence, its seeds give the error.
// links: command_line
#include <skewgrad/command_line.hpp>
#include <skewgrad/report.hpp>
#include <skewgrad/skewgrad.hpp>

using namespace skewgrad;
using claims::Case, claims::CaseValue, claims::Kind;

// The experiment: the claims, their networks and their statistics. A statistic above 0 supports its claim.
struct MarginsShrink : claims::Claim {
    static constexpr const char *id = "X1", *says = "a class that is cut has smaller margins";
    static constexpr claims::Unit unit = claims::Unit::log_odds;  // against the runner-up; smallest effect: 0.1
    static CaseValue statistic(const Case& at) {
        return mean_margin(at(Kind::balanced)) - mean_margin(at(Kind::under));
    }
    static CaseValue mean_margin(const claims::Images& images) {
        return mean_of(images, [](const ImageRecord& image) { return image.clean.margin; });
    }
};
struct NoiseFlipsCutClasses : claims::Claim {
    static constexpr const char *id = "X2", *says = "a class that is cut is turned by mere noise";
    static CaseValue statistic(const Case& at) { return drop(*at.noise(Kind::under, 0), at.label()); }
};
using Claims = claims::ClaimList<MarginsShrink, NoiseFlipsCutClasses, claims::UnderIsMoreVulnerable>;

struct Net : Network<Image<3, 32, 32>, Conv<16>, Relu, MaxPool<4>, Conv<32>, Relu, MaxPool<4>, Dense<10>> {};
constexpr Recipe recipe{.batch = 32, .rounds = 10, .updates_per_round = 120};  // default: as many as for the whole data
constexpr Sampler<Under> cut{.count = 150};
constexpr int seeds = 4;
constexpr Embedded made{.train_per_class = 430, .test_per_class = 200};

int main(int argc, char** argv) {
    CLI::App app{"Judges claims of one's own on networks trained with a class cut"};
    CommonOptions options;
    add_common(app, options);
    for (const char* unused : {"--quick", "--out"}) app.remove_option(app.get_option(unused));
    return run_main(app, argc, argv, [&] {
        const Splits data = options.data.empty() ? made.load(options.threads) : Cifar10::load(options.data);
        Study<NetworkLearner<Net, Cpu<f32>, Adam>, On<Sampler<Balanced>, Sampler<Under>>, From<SameModel>,
              By<Attack<FGSM>, Attack<RandomSign>>>
            study{.learner = {Adam{.learning_rate = 2e-3f}, recipe, Cpu<f32>::Context(options.threads)},
                  .samplers = {Sampler<Balanced>{}, cut},
                  .attacks = {{.epsilon = options.epsilon}, {.epsilon = options.epsilon}},
                  .data_protocol = {.per_class = 30},
                  .classes = {Label{0}, Label{4}, Label{9}},
                  .seeds = {},
                  .smallest_epsilons = false};
        for (int s = 0; s < seeds; ++s) study.seeds.push_back({options.seed.value + static_cast<std::uint64_t>(s)});
        const StudyResults results = study.run(data);
        const claims::Evidence evidence = claims::evidence_of(results, made.similarity);
        for (const claims::Verdict& verdict : judge(Claims{}, evidence))
            std::cout << report::verdict_text(verdict) << "\n";
    });
}
