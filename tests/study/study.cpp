// Studies: the smallest set of trainings, every cell once, shared gradients, records that agree with each other.
#define BOOST_TEST_MODULE study
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include <skewgrad/data/synthetic.hpp>
#include <skewgrad/study/study.hpp>
#include "means_learner.hpp"

using namespace skewgrad;

namespace {

using Small = Study<MeansLearner, On<Sampler<Balanced>, Sampler<Under>, Sampler<Over>>, From<SameModel, DifferentModel>,
                    By<Attack<FGSM, Ascent>, Attack<Iterative, Ascent>, Attack<RandomSign>, Attack<PermutedSign>>>;

Small small(int* trained = nullptr) {
    Small study{.learner = {trained},
                .samplers = {Sampler<Balanced>{}, Sampler<Under>{.count = 4}, Sampler<Over>{.count = 4}},
                .attacks = {Attack<FGSM, Ascent>{.epsilon = .02f}, Attack<Iterative, Ascent>{.epsilon = .02f},
                            Attack<RandomSign>{.epsilon = .02f}, Attack<PermutedSign>{.epsilon = .02f}},
                .data_protocol = {.per_class = 2},
                .classes = {},
                .seeds = {Seed{1}}};
    for (std::uint16_t c = 0; c < 10; ++c) study.classes.push_back(Label{c});
    return study;
}

const Splits& data() {
    static const Splits splits = Embedded{.train_per_class = 20, .test_per_class = 6}.load(1);
    return splits;
}

}  // namespace

// A picture is of one image a class, of which this control makes nothing: its study ends without.
BOOST_AUTO_TEST_CASE(a_study_by_permuted_signs_alone) {
    using Control = Study<MeansLearner, On<Sampler<Balanced>>, From<SameModel>, By<Attack<PermutedSign>, Attack<FGSM>>>;
    const Control study{.learner = {},
                        .samplers = {Sampler<Balanced>{}},
                        .attacks = {Attack<PermutedSign>{.epsilon = .02f}, Attack<FGSM>{.epsilon = .02f}},
                        .data_protocol = {.per_class = 2},
                        .classes = {Label{0}, Label{1}},
                        .seeds = {Seed{1}}};
    const StudyResults results = study.run(data());
    BOOST_TEST(results.pictures.empty());
    BOOST_REQUIRE(results.cells.size() == 4u);
    for (std::size_t i = 0; i < results.cells.size(); ++i) BOOST_TEST(results.cells.images(i) == 6u);
    for (const std::size_t c : {0, 2}) {  // one class, by the control and by the attack
        const CellHandle control = results.cells[c], attack = results.cells[c + 1];
        for (std::size_t n = 0; n < 6; ++n)
            BOOST_TEST(control->images[n].attacked.margin != attack->images[n].attacked.margin);
    }
}

BOOST_AUTO_TEST_CASE(one_seed_needs_22_trainings_and_the_papers_cells_and_ten_more) {
    const Plan plan = small().plan();
    BOOST_TEST(plan.trainings.size() == 22u);
    std::set<std::string> trainings, cells;
    for (const auto& t : plan.trainings) trainings.insert(t.key.text());
    BOOST_TEST(trainings.size() == 22u);
    int fgsm = 0, noise = 0;
    for (const auto& cell : plan.cells) {
        fgsm += cell.attack == 0;
        noise += cell.attack == 2;
        cells.insert(plan.key(cell).text());
        const auto& victim = plan.trainings[cell.victim];
        if (victim.skewed) BOOST_TEST(index(*victim.skewed) == index(cell.attacked_class));
        if (cell.from == Source::same_model) {
            BOOST_TEST(cell.source == cell.victim);
        } else {
            BOOST_TEST(plan.trainings[cell.source].sampler == 0u);
            BOOST_TEST(plan.trainings[cell.source].seed.value != victim.seed.value);
        }
    }
    BOOST_TEST(fgsm == 60);
    BOOST_TEST(noise == 30);  // noise owes nothing to a source
    BOOST_TEST(cells.size() == plan.cells.size());
}

BOOST_AUTO_TEST_CASE(two_seeds_lend_each_other_their_balanced_network) {
    Small study = small();
    study.seeds = {Seed{1}, Seed{5}};
    const Plan plan = study.plan();
    BOOST_TEST(plan.trainings.size() == 42u);
    for (const auto& cell : plan.cells)
        if (cell.from == Source::different_model)
            BOOST_TEST(plan.trainings[cell.source].seed.value ==
                       (plan.trainings[cell.victim].seed.value == 1 ? 5u : 1u));
}

BOOST_AUTO_TEST_CASE(keys_are_canonical) {
    const Plan a = small().plan(), b = small().plan();
    BOOST_TEST((a.trainings[3].key == b.trainings[3].key));
    BOOST_TEST(!(a.trainings[3].key == a.trainings[4].key));
    BOOST_TEST(
        a.trainings[0].key.text() ==
        R"({"learner":{"data_protocol":{"name":"hold_out_before_sampling","values":{"per_class":2}},"name":"class means"},)"
        R"("sampler":{"name":"Balanced","values":{"count":null}},"seed":1})");
}

BOOST_AUTO_TEST_CASE(a_run_trains_each_network_once_and_fills_every_cell) {
    int trained = 0;
    const Small study = small(&trained);
    std::size_t told = 0, cells_done = 0;
    StudyObserver observer;
    observer.training_ends = [&](std::size_t, const TrainingResult&) { ++told; };
    observer.cells = [&](std::size_t done, std::size_t) { cells_done = done; };
    const StudyResults results = study.run(data(), observer);
    BOOST_TEST(trained == 22);
    BOOST_TEST(told == 22u);
    BOOST_TEST(cells_done == results.plan.cells.size());

    for (std::size_t t = 0; t < results.trainings.size(); ++t) {
        const auto& training = results.trainings[t];
        const auto& planned = results.plan.trainings[t];
        for (std::size_t c = 0; c < 10; ++c) {
            const bool own = planned.skewed && static_cast<std::size_t>(index(*planned.skewed)) == c;
            const int wanted = planned.sampler == 0 ? 18 : (planned.sampler == 1) == own ? 4 : 18;
            BOOST_TEST(training.counts[c] == wanted);
        }
        BOOST_TEST(training.validation_images == 20u);
        BOOST_TEST(training.clean.size() == 60u);
    }
    bool some_flip = false;
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const CellHandle cell = results.cells[i];
        const auto& planned = results.plan.cells[i];
        BOOST_TEST(cell->images.size() == 6u);
        const Confusion all = results.confusion(i);
        BOOST_TEST(all.total() == 60);
        std::int64_t right = 0;
        for (const ImageRecord& image : cell->images) {
            BOOST_TEST(index(data().test.store()->labels[image.item]) == index(planned.attacked_class));
            right += correct(image.attacked.predicted, planned.attacked_class);
            BOOST_TEST(image.gradient_norm1 > 0);
            BOOST_TEST(!image.zero_gradient);
            if (planned.attack != 0) {
                BOOST_TEST(std::isnan(image.smallest_epsilon));
                continue;
            }
            // The attack's own step flips exactly the images whose smallest epsilon is below it.
            const bool flips = image.attacked.margin <= 0;
            some_flip = some_flip || (flips && image.clean.margin > 0);
            if (image.smallest_epsilon < .0199) BOOST_TEST(flips);
            if (image.smallest_epsilon > .0215) BOOST_TEST(!flips);
            if (image.clean.margin <= 0) BOOST_TEST(image.smallest_epsilon == 0);
            if (planned.from == Source::same_model) BOOST_TEST(image.attacked.loss >= image.clean.loss);
        }
        BOOST_TEST(all.recall(planned.attacked_class).hits == right);
    }
    BOOST_TEST(some_flip);
}

BOOST_AUTO_TEST_CASE(fewer_test_images_are_the_first_of_each_class) {
    Small study = small();
    study.test_images_per_class = 2;
    study.smallest_epsilons = false;
    const StudyResults results = study.run(data());
    BOOST_TEST(results.test_items.size() == 20u);
    for (std::size_t i = 0; i < results.cells.size(); ++i) {
        const CellHandle cell = results.cells[i];
        BOOST_TEST(cell->images.size() == 2u);
        BOOST_TEST(std::isnan(cell->images[0].smallest_epsilon));
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_is_said) {
    Small study = small();
    study.seeds.clear();
    BOOST_CHECK_THROW(study.plan(), ValueError);
    study = small();
    std::get<1>(study.samplers).count = 1000;
    BOOST_CHECK_EXCEPTION(study.run(data()), ValueError,
                          [](const ValueError& e) { return std::string(e.what()).find("1000") != std::string::npos; });
}
