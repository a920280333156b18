#include <pgq/driver/pq/command/admin/limits.hpp>
#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/lanes.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace unit_driver_pq_command_enqueue {

using namespace pgq;
using namespace std::chrono_literals;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::rows;
namespace command = driver::pq::command;

namespace {

struct some_jobs {
    explicit some_jobs(std::size_t n, enqueue_options o = {}, std::string_view body = "b") : options{o} {
        for (std::size_t i = 0; i < n; ++i) {
            written.bytes() += body;
            written.close();
        }
    }
    enqueue_request request() const { return {.lane = {3}, .bodies = &written, .options = options}; }
    tracked_request tracked() const { return {.lanes = lanes, .bodies = &written, .options = options}; }

    bodies written{};
    std::array<enqueue_options, 1> options;
    std::array<lane_id, 1> lanes{lane_id{3}};
    std::vector<job_id> ids{};
    std::vector<enqueued_job> made{};
};

}  // namespace

TEST_CASE("an enqueue chooses its statement by what the jobs need", "[driver][pq][command][enqueue]") {
    some_jobs one{1}, two{2, {.priority = 1}};
    CHECK(composed(command::enqueue{one.request(), one.ids}) == "enqueue_one(3, -1, b) | wake(77, {3})");
    CHECK(composed(command::enqueue{two.request(), two.ids}) ==
          "enqueue_many(3, " + std::to_string(rank::of(1).value) + ", {b,b}) | wake(77, {3})");
    some_jobs later{1, {.run_at = in(1s)}};
    CHECK(composed(command::enqueue{later.request(), later.ids}) ==
          "enqueue_any(3, {0}, {1}, {1000000}, {0}, {0}, {b}, {}, {}, {}, {}) | wake(77, {3})");
    some_jobs kept{1, {.keep_outcome = 1h}};
    const auto text = composed(command::enqueue{kept.request(), kept.ids});
    CHECK(text.substr(0, text.find('(')) == "enqueue_tracked");
    some_jobs none{0};
    CHECK(composed(command::enqueue{none.request(), none.ids}).empty());
}

TEST_CASE("an enqueue packs jobs only where the channel allows it", "[driver][pq][command][enqueue]") {
    some_jobs many{150, {.packed = true}};
    const auto count = [](const std::string& text, std::string_view word) {
        std::size_t n = 0;
        for (auto at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++n;
        return n;
    };
    CHECK(count(composed(command::enqueue{many.request(), many.ids}), "enqueue_pack(3") == 2);
    CHECK(count(composed(command::enqueue{many.request(), many.ids}, test::callers_transaction()), "enqueue_pack(3") ==
          0);
    CHECK(count(composed(command::enqueue{many.request(), many.ids}, test::callers_transaction()), "enqueue_many(3") ==
          1);
}

TEST_CASE("the channel decides which workers an enqueue wakes, and when", "[driver][pq][command][enqueue]") {
    some_jobs one{1};
    command::enqueue now{one.request(), one.ids}, riding{one.request(), one.ids}, later{one.request(), one.ids};
    CHECK(composed(now) == "enqueue_one(3, -1, b) | wake(77, {3})");
    CHECK(now.wakes().empty());
    CHECK(composed(riding, test::callers_transaction()) == "enqueue_one(3, -1, b) + wake_all(77, 3)");
    CHECK(riding.wakes().empty());
    CHECK(composed(later, test::own_transaction()) == "enqueue_one(3, -1, b)");
    CHECK(later.wakes().lanes == std::vector{lane_id{3}});
}

TEST_CASE("an enqueue reads its ids in input order", "[driver][pq][command][enqueue]") {
    some_jobs one{1}, three{3};
    CHECK(test::read(command::enqueue{one.request(), one.ids}, {rows({{binary(9L)}})}).has_value());
    CHECK(one.ids == std::vector{job_id{9}});
    CHECK(test::read(command::enqueue{three.request(), three.ids}, {rows({{array({12L, 10L, 11L})}})}).has_value());
    CHECK(three.ids == std::vector{job_id{10}, job_id{11}, job_id{12}});
    CHECK(test::read(command::enqueue{three.request(), three.ids}, {rows({{array({12L, 10L})}})}).error() ==
          errc::protocol);
    CHECK(test::read(command::enqueue{three.request(), three.ids}, {test::failed("23505")}).error().code ==
          make_sqlstate("23505"));
    CHECK(three.ids.empty());
}

TEST_CASE("an enqueue of packs reads the ids of all of them", "[driver][pq][command][enqueue]") {
    some_jobs packed{12, {.packed = true}};
    CHECK(test::read(command::enqueue{packed.request(), packed.ids},
                     {rows({{array({1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L, 10L, 11L, 12L})}})})
              .has_value());
    CHECK(packed.ids.size() == 12);
}

TEST_CASE("an enqueue refuses what is too large before anything is sent", "[driver][pq][command][enqueue]") {
    const std::string large(1001, 'x');
    some_jobs big{1, {}, large};
    CHECK(command::enqueue{big.request(), big.ids}.check(test::own_session()).error() == errc::payload_too_large);
    CHECK(command::enqueue_tracked{big.tracked(), big.made}.check(test::own_session()).error() ==
          errc::payload_too_large);
    some_jobs small{1};
    CHECK(command::enqueue{small.request(), small.ids}.check(test::own_session()).has_value());
}

TEST_CASE("a tracked enqueue tells new jobs from those that have the unique key", "[driver][pq][command][enqueue]") {
    some_jobs two{2};
    command::enqueue_tracked e{two.tracked(), two.made};
    const auto text = composed(e);
    CHECK(text.substr(0, text.find('(')) == "enqueue_tracked");
    CHECK(text.substr(text.find(" | ")) == " | wake(77, {3})");
    CHECK(test::read(e, {rows({{array({5L, 4L}), array({true, false})}})}).has_value());
    CHECK(two.made == std::vector{enqueued_job{{5}, true}, enqueued_job{{4}, false}});
    CHECK(test::read(e, {test::failed(errc::duplicate_key)}).error() == errc::duplicate_key);
}

TEST_CASE("ids are drawn for a COPY", "[driver][pq][command][enqueue]") {
    std::vector<job_id> ids;
    CHECK(composed(command::draw_ids{3, ids}) == "draw_ids(3)");
    CHECK(test::read(command::draw_ids{3, ids}, {rows({{array({3L, 2L, 1L}), "off"}})}).has_value());
    CHECK(ids == std::vector{job_id{1}, job_id{2}, job_id{3}});
    CHECK(test::read(command::draw_ids{4, ids}, {rows({{array({3L, 2L, 1L}), "off"}})}).error() == errc::protocol);
}

TEST_CASE("lanes are made where they are missing, but not inside of a transaction", "[driver][pq][command][lanes]") {
    const std::array names{lane_name{"mail", ""}, lane_name{"mail", "2"}};
    command::lanes outside{"q", names}, inside{"q", names};
    CHECK(composed(outside) == "make_durable() + add_lanes(q, {mail,mail}, {,2}) | find_lanes(q, {mail,mail}, {,2})");
    CHECK(composed(inside, test::callers_transaction()) == "find_lanes(q, {mail,mail}, {,2})");
    const auto found = rows({{array({4, 7})}}), one = rows({{array({4})}});
    CHECK(test::read(outside, {{}, {}, found}).value() == std::vector{lane_id{4}, lane_id{7}});
    CHECK(test::read(outside, {{}, one}).error() == errc::protocol);
    CHECK(test::read(inside, {one}, test::callers_transaction()).error() == errc::invalid_option);
    CHECK(test::read(outside, {test::failed("42501"), found}).error().code == make_sqlstate("42501"));
}

TEST_CASE("dead letters have a route from lanes to lanes", "[driver][pq][command][lanes]") {
    const std::array from{lane_id{1}, lane_id{2}}, to{lane_id{5}, lane_id{6}};
    CHECK(composed(command::set_dead_letter_routes{from, to}) == "set_dead_letter_routes({1,2}, {5,6})");
    CHECK(composed(command::set_dead_letter_routes{from, {}}) == "set_dead_letter_routes({1,2}, {})");
    CHECK(test::read(command::set_dead_letter_routes{from, to}, {}).has_value());
    CHECK_FALSE(test::read(command::set_dead_letter_routes{from, to}, {test::failed("23503")}).has_value());
}

TEST_CASE("limits are made, read and changed", "[driver][pq][command][limits]") {
    const lane_limit rate{"mail", {.kind = limit_kind::rate, .number = 1, .amount = 5, .per = 2s, .burst = 9}};
    const std::array declared{rate};
    CHECK(composed(command::admin::limits{"q", {}}) == "find_limits(q)");
    CHECK(composed(command::admin::limits{"q", declared}) ==
          "add_limits(q, {mail}, {r}, {1}, {5}, {2000000}, {9}) | find_limits(q)");
    const auto stored = rows({{"mail", "r", binary(std::int16_t{1}), binary(5), binary(2'000'000L), binary(9)}});
    CHECK(test::read(command::admin::limits{"q", declared}, {{}, stored}).value() == std::vector{rate});
    CHECK_FALSE(test::read(command::admin::limits{"q", declared}, {test::failed("42501"), stored}).has_value());

    command::admin::change_limit change{"q", rate};
    CHECK(composed(change) == "change_limit(q, mail, r, 1, 5, 2000000, 9)");
    CHECK_FALSE(test::read(change, {rows({{null}})}).value());
    CHECK(change.wakes().empty());
    CHECK(test::read(change, {rows({{array({3, 4})}})}).value());
    CHECK(change.wakes().lanes == std::vector{lane_id{3}, lane_id{4}});
}

}  // namespace unit_driver_pq_command_enqueue
