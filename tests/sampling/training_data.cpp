// Data in, data out: draws follow the images' identities, storage is shared, only training data is taken; values of
// samplers can be listed, compared, and a user's own sampler stands beside ours.
#define BOOST_TEST_MODULE sampling_training_data
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <vector>

#include <skewgrad/core/label.hpp>
#include <skewgrad/core/random.hpp>
#include <skewgrad/data/cifar.hpp>
#include <skewgrad/data/dataset.hpp>
#include <skewgrad/data/hold_out.hpp>
#include <skewgrad/sampling/samplers.hpp>

#include "sampling/labelled.hpp"

using namespace skewgrad;
using namespace labelled;

namespace {

template <class Sampled, class D>
concept Samples = requires(const Sampled& s, const D& data) { s(data, Seed{7}); };

using Every = std::tuple<Sampler<Under>, Sampler<Over>, Sampler<Balanced>, Sampler<Replicate>, Sampler<Step>,
                         Sampler<LongTail>, Sampler<Profile>, Sampler<UnderInFileOrder>, Sampler<OverInFileOrder>>;

/// A user's sampler: every n-th image.
struct EveryNth {
    static constexpr const char* name = "EveryNth";
    static constexpr auto fields = names("n");
    int n = 1;
    Positions positions(const Population& all, Seed) const {
        Positions chosen;
        for (std::size_t i = 0; i < all.labels.size(); i += static_cast<std::size_t>(n))
            chosen.push_back(static_cast<std::uint32_t>(i));
        return chosen;
    }
    friend bool operator==(const EveryNth&, const EveryNth&) = default;
};

/// Writes a sampler's values as a record would.
struct Written {
    std::ostringstream text;
    void operator()(const char* name, Label y) { text << name << "=class " << index(y) << ' '; }
    void operator()(const char* name, int n) { text << name << '=' << n << ' '; }
    void operator()(const char* name, double x) { text << name << '=' << x << ' '; }
    void operator()(const char* name, const std::optional<int>& n) {
        text << name << '=' << (n ? std::to_string(*n) : "none") << ' ';
    }
    void operator()(const char* name, const std::map<Label, int>& counts) {
        for (const auto& [y, n] : counts) text << name << '[' << index(y) << "]=" << n << ' ';
    }
};
std::string written(const auto& sampler) {
    Written w;
    for_each_value(sampler, [&w](const char* name, const auto& value) { w(name, value); });
    return std::string(sampler.name) + ": " + w.text.str();
}

std::shared_ptr<const ImageStore> small_store(int n) {
    return make_store("small", {1, 1, 1}, std::vector<std::uint8_t>(static_cast<std::size_t>(n) * 3), in_turn(n, 3),
                      {"bird", "cat", "dog"});
}

}  // namespace

BOOST_AUTO_TEST_CASE_TEMPLATE(training_data_only, S, Every) {
    static_assert(IndexSampler<S>);
    static_assert(Samples<S, Data<Use::training>>);
    static_assert(!Samples<S, Data<Use::validation>> && !Samples<S, Data<Use::test>>);
    static_assert(Samples<S, TrainingData>);
    static_assert(!Samples<S, ValidationData> && !Samples<S, TestData>);
    static_assert(std::is_aggregate_v<S>);
    BOOST_TEST((S{} == S{}));
}

BOOST_AUTO_TEST_CASE(a_fake_is_sampled) {
    const Data<Use::training> data{in_turn(40, 3), Positions(120, 0), 3};
    auto numbered = data;
    for (std::uint32_t i = 0; i < 120; ++i) numbered.ids[i] = 1000 + 7 * i;
    const auto part = Sampler<Under>{.skewed_class = cat, .count = 9}(numbered, Seed{7});
    BOOST_TEST(count_by_class(part.labels(), 3) == (std::vector{40, 9, 40}), boost::test_tools::per_element());
    BOOST_TEST(strictly_ascending(part.items()));
}

// The images that stay depend on who they are, not on what else is in the list.
BOOST_AUTO_TEST_CASE(draws_follow_the_item_through_any_list) {
    const TrainingData whole(small_store(100));
    const Sampler<Under> thirty{.skewed_class = cat, .count = 30};
    const auto before = thirty(whole, Seed{7});
    std::vector<std::uint32_t> reversed(300);
    for (std::uint32_t i = 0; i < 300; ++i) reversed[i] = 299 - i;
    auto after = thirty(whole.select(reversed), Seed{7}).items();
    std::sort(after.begin(), after.end());
    BOOST_TEST(after == before.items(), boost::test_tools::per_element());

    // Without one image that was kept, the other 29 are still kept.
    Positions others;
    const auto kept = before.of_class(cat).items();
    for (std::uint32_t i = 0; i < 300; ++i)
        if (i != kept[12]) others.push_back(i);
    const auto again = thirty(whole.select(others), Seed{7}).of_class(cat).items();
    for (const auto item : kept)
        if (item != kept[12]) BOOST_TEST((std::find(again.begin(), again.end(), item) != again.end()));
}

BOOST_AUTO_TEST_CASE(positions_and_items_differ_where_images_were_held_out) {
    const TrainingData whole(small_store(100));
    const Parts parts = hold_out(whole, {.per_class = 20, .seed = Seed{3}});
    const auto labels = parts.fit.labels();
    const Sampler<Balanced> sampler{.count = 40};
    // By item through the data, by position through plain labels: two draws, both of the right size.
    const auto by_item = sampler(parts.fit, Seed{7});
    const auto by_position = parts.fit.select(sampler(labels, 3, Seed{7}));
    BOOST_TEST(by_item.counts() == (std::vector{40, 40, 40}), boost::test_tools::per_element());
    BOOST_TEST(by_position.counts() == by_item.counts(), boost::test_tools::per_element());
    BOOST_TEST((by_item.items() != by_position.items()));
    for (const auto item : by_item.items())
        BOOST_TEST((std::find(parts.validation.items().begin(), parts.validation.items().end(), item) ==
                    parts.validation.items().end()));
}

BOOST_AUTO_TEST_CASE(storage_is_shared_and_order_kept) {
    const TrainingData whole(small_store(50));
    const auto part = Sampler<Over>{.skewed_class = dog, .count = 5}(whole, Seed{7});
    static_assert(std::is_same_v<decltype(part), const TrainingData>);
    BOOST_TEST(part.store() == whole.store());
    BOOST_TEST(part.size() == 60u);
    BOOST_TEST(strictly_ascending(part.items()));
}

BOOST_AUTO_TEST_CASE(repeated_images_are_drawn_copy_by_copy) {
    const TrainingData whole(small_store(50));
    const auto doubled = Sampler<Replicate>{.skewed_class = cat, .count = 100}(whole, Seed{7});
    BOOST_TEST(doubled.counts() == (std::vector{50, 100, 50}), boost::test_tools::per_element());
    const auto half = Sampler<Under>{.skewed_class = cat, .count = 50}(doubled, Seed{7}).of_class(cat).items();
    std::map<std::uint32_t, int> times;
    for (const auto item : half) ++times[item];
    // Were copies to share a key, each image would be there twice or not at all: 25 distinct. Expected: about 37.
    BOOST_TEST((times.size() > 30 && times.size() < 45), times.size() << " distinct images");
    // Nor does it matter where in the list an image's copies stand.
    Positions apart;
    for (std::uint32_t first = 0; first < 2; ++first)
        for (std::uint32_t p = first; p < doubled.size(); p += 2) apart.push_back(p);
    auto scattered = Sampler<Under>{.skewed_class = cat, .count = 50}(doubled.select(apart), Seed{7});
    auto found = scattered.of_class(cat).items();
    std::sort(found.begin(), found.end());
    BOOST_TEST(found == half, boost::test_tools::per_element());
    // First copies have the key that the image has without copies.
    const auto plain = Sampler<Under>{.skewed_class = cat, .count = 10}(whole, Seed{7}).of_class(cat).items();
    const auto most = Sampler<Under>{.skewed_class = cat, .count = 60}(doubled, Seed{7}).of_class(cat).items();
    int there = 0;
    for (const auto item : plain) there += std::find(most.begin(), most.end(), item) != most.end();
    BOOST_TEST(there == 10);
}

BOOST_AUTO_TEST_CASE(messages_name_the_class) {
    const TrainingData whole(small_store(5));
    BOOST_CHECK_EXCEPTION((Sampler<Under>{.skewed_class = dog, .count = 6}(whole, Seed{7})), ValueError,
                          says({"Sampler<Under>", "6 images of class 2 (dog)", "5 available"}));
}

BOOST_AUTO_TEST_CASE(lists_that_do_not_fit_are_refused) {
    const auto labels = in_turn(4, 3);
    const Positions items{1, 2, 3};
    BOOST_CHECK_EXCEPTION(Sampler<Balanced>{}.positions({.labels = labels, .classes = 3, .items = items}, Seed{7}),
                          ValueError, says({"12 labels", "3 items"}));
}

BOOST_AUTO_TEST_CASE(values_can_be_listed_and_compared) {
    BOOST_TEST(written(Sampler<Under>{.skewed_class = cat, .count = 9}) == "Under: skewed_class=class 1 count=9 ");
    BOOST_TEST(written(Sampler<Over>{.skewed_class = dog, .count = 9}) == "Over: skewed_class=class 2 count=9 ");
    BOOST_TEST(written(Sampler<Balanced>{}) == "Balanced: count=none ");
    BOOST_TEST(written(Sampler<Balanced>{.count = 9}) == "Balanced: count=9 ");
    BOOST_TEST(written(Sampler<Replicate>{.skewed_class = cat, .count = 9}) ==
               "Replicate: skewed_class=class 1 count=9 ");
    BOOST_TEST(written(Sampler<Step>{.share = 0.25, .ratio = 4}) == "Step: share=0.25 ratio=4 ");
    BOOST_TEST(written(Sampler<LongTail>{.ratio = 100}) == "LongTail: ratio=100 ");
    BOOST_TEST(written(Sampler<Profile>{.counts = {{dog, 3}, {cat, 9}}}) == "Profile: counts[1]=9 counts[2]=3 ");
    BOOST_TEST(written(Sampler<UnderInFileOrder>{.skewed_class = cat, .count = 9}) ==
               "UnderInFileOrder: skewed_class=class 1 count=9 ");
    BOOST_TEST(written(Sampler<OverInFileOrder>{.skewed_class = cat, .count = 9}) ==
               "OverInFileOrder: skewed_class=class 1 count=9 ");
    BOOST_TEST((Sampler<Under>{.skewed_class = cat, .count = 9} == Sampler<Under>{.skewed_class = cat, .count = 9}));
    BOOST_TEST((Sampler<Under>{.skewed_class = cat, .count = 9} != Sampler<Under>{.skewed_class = cat, .count = 8}));
    BOOST_TEST((Sampler<Profile>{.counts = {{cat, 9}}} != Sampler<Profile>{.counts = {{dog, 9}}}));
}

BOOST_AUTO_TEST_CASE(a_users_own_sampler) {
    static_assert(IndexSampler<EveryNth>);
    BOOST_TEST((EveryNth{5} != EveryNth{4}));
    const TrainingData whole(small_store(4));
    BOOST_TEST(sample(EveryNth{5}, whole, Seed{7}).items() == (Positions{0, 5, 10}), boost::test_tools::per_element());
    BOOST_TEST(sample_labels(EveryNth{5}, whole.labels(), 3, Seed{7}) == (Positions{0, 5, 10}),
               boost::test_tools::per_element());
    BOOST_TEST(written(EveryNth{5}) == "EveryNth: n=5 ");
}

namespace {
boost::test_tools::assertion_result cifar10_is_there(boost::unit_test::test_unit_id) {
    boost::test_tools::assertion_result there(std::getenv("SKEWGRAD_CIFAR10") != nullptr);
    there.message() << "SKEWGRAD_CIFAR10 does not name the folder of CIFAR-10";
    return there;
}
}  // namespace

BOOST_AUTO_TEST_CASE(the_papers_sets_on_cifar10, *boost::unit_test::precondition(cifar10_is_there)) {
    const Splits data = Cifar10::load(std::getenv("SKEWGRAD_CIFAR10"));
    const Label c{3};
    const auto parts = hold_out(data.train, {.per_class = 500, .seed = Seed{7}});
    const auto under = Sampler<Under>{.skewed_class = c, .count = 900}(parts.fit, Seed{7});
    const auto over = Sampler<Over>{.skewed_class = c, .count = 900}(parts.fit, Seed{7});
    BOOST_TEST(parts.fit.size() == 45'000u);
    BOOST_TEST(under.size() == 41'400u);
    BOOST_TEST(over.size() == 12'600u);
    BOOST_TEST(under.counts()[3] == 900);
    BOOST_TEST(over.counts()[3] == 4500);
    const auto as_run = Sampler<OverInFileOrder>{.skewed_class = c, .count = 1000}(data.train, Seed{});
    BOOST_TEST(as_run.size() == 14'000u);
    for (int k = 0; k < 10; ++k)
        if (k != 3) {
            const int n = as_run.counts()[static_cast<std::size_t>(k)];
            // About 1,000 a class, by file order: hypergeometric, deviation 28.
            BOOST_TEST((n > 850 && n < 1150), "class " << k << " keeps " << n);
        }
}
