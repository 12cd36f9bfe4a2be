// Controls as parts of a study: what they add to the plan, and that each measures what it says.
#define BOOST_TEST_MODULE study_controls
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <set>
#include <string>

#include <skewgrad/model/input_gradient.hpp>
#include <skewgrad/study/paper.hpp>
#include "nn/cross_entropy.hpp"
#include "study/means_learner.hpp"
#include "study/small_study.hpp"

using namespace skewgrad;
using namespace skewgrad_tests;

namespace {

// A study adjusts a network's last biases, so that it must end in them.
struct EndsInDense : Network<Image<1, 4, 4>, Conv<2>, Dense<3>> {};
struct EndsInRelu : Network<Image<1, 4, 4>, Dense<3>, Relu> {};
struct EndsInWindows : Network<Image<1, 4, 4>, Dense<3>, Conv<3, 1>> {};
static_assert(LogitAdjustable<Model<EndsInDense, Cpu<f32>>>);
static_assert(!LogitAdjustable<Model<EndsInRelu, Cpu<f32>>> && !LogitAdjustable<Model<EndsInWindows, Cpu<f32>>>);

struct TenClasses : Network<Image<3, 32, 32>, MaxPool<8>, Dense<10>> {};

Plan paper_plan(const PaperParts& parts) {
    return paper_study<AsWritten, Cpu<f32>, TenClasses>(AsWritten{}, PaperScale{}, parts, one_thread).plan();
}
std::size_t of_kind(const Plan& plan, const nlohmann::json& sampler) {
    return static_cast<std::size_t>(std::count_if(plan.trainings.begin(), plan.trainings.end(),
                                                  [&](const auto& t) { return t.key.sampler == sampler; }));
}
nlohmann::json balanced(int count) { return {{"name", "Balanced"}, {"values", {{"count", count}}}}; }

}  // namespace

BOOST_AUTO_TEST_CASE(a_seed_of_the_papers_study_has_24_trainings_and_lists_what_it_goes_without) {
    const Plan plan = paper_plan({});
    BOOST_TEST(plan.trained() == 24u);
    BOOST_TEST(of_kind(plan, {{"name", "Balanced"}, {"values", {{"count", nullptr}}}}) == 2u);  // B and B'
    BOOST_TEST(of_kind(plan, balanced(900)) == 1u);
    BOOST_TEST(of_kind(plan, {{"name", "Sham"}, {"values", nlohmann::json::object()}}) == 1u);
    BOOST_TEST(plan.left_out.size() == 3u);
    std::size_t adjusted = 0;
    for (const auto& t : plan.trainings) {
        BOOST_TEST((t.seed == t.training_seed) == (t.key.sampler.at("name") != "Sham"));
        if (!t.adjusts) continue;
        ++adjusted;
        BOOST_TEST((t.key.sampler.at("values").at("of") == plan.trainings[*t.adjusts].key.sampler));
    }
    BOOST_TEST(adjusted == 20u);
}

BOOST_AUTO_TEST_CASE(a_study_of_some_classes_is_a_part_of_the_whole_one) {
    const Plan all = paper_plan({}), some = paper_plan({.classes = {Label{9}, Label{3}}});
    BOOST_TEST(some.trained() == 8u);  // B, B', S, the sham skew, and two networks a class
    std::set<std::string> trainings, cells;
    for (const auto& t : all.trainings) trainings.insert(t.key.text());
    for (const auto& cell : all.cells) cells.insert(all.key(cell).text());
    for (const auto& t : some.trainings) BOOST_TEST(trainings.contains(t.key.text()));
    for (const auto& cell : some.cells) BOOST_TEST(cells.contains(some.key(cell).text()));
    BOOST_TEST(some.cells.size() * 5 == all.cells.size());
    BOOST_TEST(some.left_out.size() == 4u);
    BOOST_CHECK_THROW(paper_plan({.classes = {Label{10}}}), ValueError);
    BOOST_CHECK_THROW(paper_plan({.classes = {Label{3}, Label{3}}}), ValueError);
}

BOOST_AUTO_TEST_CASE(optional_parts_train_further_networks_each_once) {
    const Plan all = paper_plan({.size_matched = true, .dose = true, .transfer = true});
    BOOST_TEST(all.left_out.empty());
    BOOST_TEST(all.trained() == 24u + 2 + 2 * 3);  // of the doses 900 is the study's own, 4,500 the balanced network
    BOOST_TEST(of_kind(all, balanced(4140)) == 1u);
    BOOST_TEST(of_kind(all, balanced(1260)) == 1u);
    std::set<std::string> keys;
    for (const auto& t : all.trainings) keys.insert(t.key.text());
    BOOST_TEST(keys.size() == all.trainings.size());
    std::set<std::tuple<std::string, std::string>> kinds;
    for (const auto& cell : all.cells) {
        if (cell.from != Source::transfer) continue;
        BOOST_TEST(cell.source != cell.victim);
        BOOST_TEST(cell.attack == 0u);
        kinds.emplace(all.trainings[cell.victim].key.sampler.at("name"),
                      all.trainings[cell.source].key.sampler.at("name"));
    }
    BOOST_TEST(kinds.size() == 9u);  // balanced (S), under and over, each against each
}

BOOST_AUTO_TEST_CASE(several_seeds_take_sources_from_the_next_one) {
    const Plan plan = paper_plan({.seeds = 2, .transfer = true});
    BOOST_TEST(plan.trained() == 46u);  // no extra balanced network
    for (const auto& cell : plan.cells) {
        const auto &victim = plan.trainings[cell.victim], &source = plan.trainings[cell.source];
        if (cell.from == Source::shared_seed) BOOST_TEST((victim.seed == source.seed));
        if (cell.from == Source::different_model || cell.from == Source::transfer)
            BOOST_TEST(!(victim.seed == source.seed));
    }
}

BOOST_AUTO_TEST_CASE(cells_measure_along_their_direction) {
    const auto study = small_study();
    const StudyResults r = study.run(small_data());
    bool some_cosine = false;
    for (std::size_t i = 0; i < r.cells.size(); ++i) {
        const PlannedCell& planned = r.plan.cells[i];
        const CellHandle cell = r.cells[i];
        if (planned.attack == 2) BOOST_TEST((planned.from == Source::same_model));
        if (planned.from == Source::shared_seed) BOOST_TEST(planned.attack == 0u);
        BOOST_TEST(cell->sweep.size() == (planned.attack == 0 ? 2u : 0u));
        if (planned.attack != 0) continue;
        std::int64_t clean = 0, attacked = 0;
        for (const ImageRecord& image : cell->images) {
            clean += correct(image.clean.predicted, planned.attacked_class);
            attacked += correct(image.attacked.predicted, planned.attacked_class);
            BOOST_TEST(std::isnan(image.cosine) == (planned.source == planned.victim));
            if (planned.source == planned.victim) continue;
            BOOST_TEST(std::abs(image.cosine) <= 1);
            BOOST_TEST((image.sign_agreement >= 0 && image.sign_agreement <= 1));
            some_cosine = some_cosine || std::abs(image.cosine) > 0.01;
        }
        BOOST_TEST(cell->sweep[0].accuracy.hits == clean);     // epsilon 0
        BOOST_TEST(cell->sweep[1].accuracy.hits == attacked);  // the attack's own
        BOOST_TEST(cell->sweep[1].accuracy.of == static_cast<std::int64_t>(cell->images.size()));
    }
    BOOST_TEST(some_cosine);
}

BOOST_AUTO_TEST_CASE(a_sham_differs_from_the_balanced_network_by_its_training_seed_alone) {
    const auto study = small_study();
    const auto trained = [&](const TrainingSet& data, Seed seed) {
        return study.learner.train(data, seed, {}).model.parameters();
    };
    const TrainingSet whole = study.data_protocol(small_data(), Sampler<Balanced>{}, Seed{1});
    const TrainingSet sham = study.data_protocol(small_data(), Sampler<Sham>{}, Seed{1});
    BOOST_TEST((trained(sham, Seed{1}) == trained(whole, Seed{1})));
    BOOST_TEST(!(trained(sham, Sampler<Sham>::training_seed(Seed{1})) == trained(whole, Seed{1})));
    const StudyResults r = study.run(small_data());
    const auto of = [&](const char* name) {
        for (std::size_t t = 0; t < r.trainings.size(); ++t)
            if (r.plan.trainings[t].key.sampler.at("name") == name) return r.trainings[t];
        BOOST_FAIL(name);
        return TrainingResult{};
    };
    BOOST_TEST((of("Sham").items == of("Balanced").items));
    BOOST_TEST(!(of("Sham").clean == of("Balanced").clean));
}

BOOST_AUTO_TEST_CASE(logit_offsets_are_the_logs_of_the_shares) {
    const std::vector<double> even = logit_offsets(std::vector<int>{7, 7, 7});
    for (const double offset : even) BOOST_TEST(offset == 0);
    const std::vector<double> skewed = logit_offsets(std::vector<int>{90, 10});
    BOOST_TEST(skewed[0] == std::log(.5 / .9), boost::test_tools::tolerance(1e-12));
    BOOST_TEST(skewed[1] == std::log(.5 / .1), boost::test_tools::tolerance(1e-12));
    BOOST_CHECK_THROW(logit_offsets(std::vector<int>{3, 0}), ValueError);
}

BOOST_AUTO_TEST_CASE(an_adjusted_model_is_attacked_through_the_sums) {
    const MeansModel plain =
        MeansLearner{}.train({TrainingData(small_store()), small_parts().validation, true, 1}, {}, {}).model;
    const std::vector<double> offsets{.4, -1, 0, 2};
    const LogitAdjusted<MeansModel> adjusted(plain, offsets);
    static_assert(LogitAdjustable<LogitAdjusted<MeansModel>> && !LogitAdjustable<MeansModel>);
    const auto x = small_data().test.images(0, 3);
    const std::vector<Label> y = {Label{0}, Label{3}, Label{2}};
    const auto z = plain.logits(x), shifted = adjusted.logits(x);
    for (std::size_t i = 0; i < z.size(); ++i)
        BOOST_TEST(shifted.data()[i] == z.data()[i] + offsets[i % 4], boost::test_tools::tolerance(1e-6));
    const auto gradient = input_gradient(adjusted, x, y);
    const auto loss = [&](const xt::xtensor<float, 4>& at, std::size_t n) {
        return CrossEntropyOfRow::value(adjusted.logits(at).data() + n * 4, 4, y[n]);
    };
    constexpr float h = 1.0f / 64;
    double worst = 0, largest = 0;
    for (std::size_t n = 0; n < 3; ++n)
        for (std::size_t e = n * 72; e < (n + 1) * 72; e += 5) {
            auto up = x, down = x;
            up.data()[e] += h;
            down.data()[e] -= h;
            worst = std::max(worst, std::abs((loss(up, n) - loss(down, n)) / (2.0 * h) - gradient.data()[e]));
            largest = std::max<double>(largest, std::abs(gradient.data()[e]));
        }
    BOOST_TEST(largest > 1e-3);
    BOOST_TEST(worst < 2e-3 * std::max(1.0, largest));  // central differences of a float's logits
}

BOOST_AUTO_TEST_CASE(a_network_adjusts_its_last_biases_and_agrees_with_the_general_form) {
    const SmallModel model(Seed{4}, one_thread);
    const std::vector<double> offsets{.4, -1, 0, 2};
    const SmallModel quick = with_adjusted_logits(model, offsets);
    const LogitAdjusted<SmallModel> general(SmallModel(Seed{4}, one_thread), offsets);
    const auto x = small_data().test.images(0, 9);
    std::vector<Label> y;
    for (std::uint16_t n = 0; n < 9; ++n) y.push_back(Label(n % 4));
    const auto a = quick.logits(x), b = general.logits(x);
    for (std::size_t i = 0; i < a.size(); ++i) BOOST_TEST(std::abs(a.data()[i] - b.data()[i]) < 1e-6);
    const auto g = quick.input_gradient(x, y), h = input_gradient(general, x, y);
    double difference = 0, size = 0;
    for (std::size_t i = 0; i < g.size(); ++i) {
        difference += std::pow(g.data()[i] - h.data()[i], 2);
        size += std::pow(g.data()[i], 2);
    }
    BOOST_TEST(std::sqrt(difference) < 1e-5 * std::sqrt(size));  // differences of f32 gradients
    BOOST_CHECK_THROW(with_adjusted_logits(model, std::vector<double>{1, 2}), ValueError);
}
