#include <pgq/driver/pq/command/acknowledge.hpp>
#include <pgq/driver/pq/command/handshake.hpp>
#include <pgq/driver/pq/command/rescue.hpp>
#include <pgq/driver/pq/command/transaction.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/command/watch.hpp>
#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/command/worker_registration.hpp>
#include <pgq/schema/generated.hpp>

#include <support/catch.hpp>
#include <support/composed.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// Commands of workers, of sessions, and of transactions.
namespace unit_driver_pq_command_workers {

using namespace pgq;
using namespace std::chrono_literals;
using test::array;
using test::binary;
using test::composed;
using test::null;
using test::place;
using test::rows;
using test::truth;
namespace command = driver::pq::command;

namespace {

const std::string no{"\0", 1};

driver::pq::session_info workers_session() {
    auto info = test::own_session();
    info.listens = true;
    return info;
}
driver::pq::session_info behind_a_pooler() {
    auto info = workers_session();
    info.keeps_state = false;
    return info;
}

// What a statement that ends leases answers with: three jobs back in two lanes, one of them held.
const test::reply some_rescued = rows({{binary(3L), binary(2L), array({3, 4}), null, array({7L, 9L}),
                                        array<std::string>({"its worker died", "its payload is missing"})}});
const test::reply some_returned =
    rows({{binary(3L), binary(1L), array({3, 4}), null, array({9L}), array<std::string>({"its payload is missing"})}});
const test::reply none_returned = rows({{binary(0L), binary(0L), null, null, null, null}});
const std::vector<pgq::held_by_rescue> one_held{{{9}, "its payload is missing"}};

}  // namespace

TEST_CASE("a worker listens to its channel once it has a number", "[driver][pq][command][worker_registration]") {
    const std::array lanes{lane_id{3}};
    const worker_info worker{.host = "h", .pid = 5, .version = "1", .lease_time = 10s, .lanes = lanes};
    command::register_worker r{worker};
    CHECK(composed(r) == "register_worker(10000000, h, 5, 1, {3})");
    CHECK(test::read(r, {rows({{binary(9)}})}).value() == worker_id{9});
    driver::pq::batch second;
    r.then(second, workers_session());
    CHECK(test::text_of(second) == "LISTEN \"pgq_77_9\"() + LISTEN \"pgq_77\"()");
    second.clear();
    r.then(second, behind_a_pooler());
    CHECK(second.empty());
    r.then(second, test::own_session());
    CHECK(second.empty());
    CHECK(test::read(r, {test::failed("23503")}).error().code == make_sqlstate("23503"));
}

TEST_CASE("a worker of many queue names registers its names and entrypoints, and no lanes",
          "[driver][pq][command][worker_registration][names]") {
    const std::array lanes{lane_name{"note", ""}, lane_name{"note", "2"}};
    const std::array<std::string, 2> names{"a", "b"};
    served_queues queues{.names = names, .lanes = lanes};
    const worker_info worker{.host = "h", .pid = 5, .version = "1", .lease_time = 10s, .queues = &queues};
    CHECK(composed(command::register_worker{worker}) ==
          "register_worker_of_queues(10000000, h, 5, 1, {}, , {a,b}, {note,note}, {,2})");
    queues = {.prefix = "tenant-", .lanes = lanes};
    CHECK(composed(command::register_worker{worker}) ==
          "register_worker_of_queues(10000000, h, 5, 1, {}, tenant-, null, {note,note}, {,2})");
}

TEST_CASE("a heartbeat holds also when dead rows cannot be written away",
          "[driver][pq][command][worker_registration]") {
    command::beat b{{9}};
    CHECK(composed(b) == "beat(9) | compact()");
    const auto alive = rows({{binary(1L), truth(true), truth(false)}});
    const auto fine = test::read(b, {alive, rows({{truth(true)}})}).value();
    CHECK(fine.alive);
    CHECK(fine.rescue_needed);
    CHECK_FALSE(fine.jobs_to_stop);
    CHECK(fine.compacted);
    CHECK_FALSE(test::read(b, {alive, test::failed("55P03")}).value().compacted);
    CHECK_FALSE(test::read(b, {rows({{binary(0L), truth(false), truth(true)}}), {}}).value().alive);
    CHECK(test::read(b, {test::failed("57P01"), {}}).error().code == make_sqlstate("57P01"));
}

TEST_CASE("a heartbeat sends a report along, and holds also when that cannot be stored",
          "[driver][pq][command][worker_registration]") {
    minute_counts row{.lane = {3}, .what = {.done = 2, .held = 1}};
    row.what.run.add(std::chrono::milliseconds{1}, 2);
    const std::vector<minute_counts> all{row, {.lane = {4}, .minute = 7, .what = {.enqueued = 5}}};
    command::beat b{{9}, {.number = 17, .rows = all}};
    CHECK(composed(b) ==
          "beat(9) | compact() | add_minutes(9, 17, {3,4}, {0,7}, {0,5}, {2,0}, {0,0}, {1,0}, {0,0}, {0,0}, {0,0}, "
          "{2000,0}, {0,0}, {2" +
              std::string(60, '0') + ",0})");
    const auto alive = rows({{binary(1L), truth(true), truth(false)}});
    CHECK_FALSE(test::read(b, {alive, rows({{truth(true)}}), {}}).value().report_error);
    const auto failed = test::read(b, {alive, rows({{truth(true)}}), test::failed("42501")}).value();
    CHECK(failed.alive);
    CHECK(failed.report_error->code == make_sqlstate("42501"));
    CHECK_FALSE(failed.compact_error);

    command::retire r{{9}, {.number = 18, .rows = all}};
    CHECK(composed(r).find("add_minutes(9, 18, ") == 0);
    CHECK(composed(r).find(" | give_back_all(9) + unregister(9)") != std::string::npos);
    CHECK(test::read(r, {test::failed("42501"), none_returned, {}}).has_value());
    CHECK_FALSE(test::read(r, {{}, none_returned, test::failed("42501")}).has_value());
}

TEST_CASE("a worker that retires wakes others for what it gives back", "[driver][pq][command][worker_registration]") {
    command::retire r{{9}};
    CHECK(composed(r) == "give_back_all(9) + unregister(9)");
    CHECK(test::read(r, {some_returned, {}}).value() == one_held);
    CHECK(r.wakes().lanes == std::vector{lane_id{3}, lane_id{4}});
    CHECK(test::read(r, {none_returned, {}}).value().empty());
    CHECK(r.wakes().empty());
    CHECK_FALSE(test::read(r, {some_returned, test::failed("40001")}).has_value());
}

TEST_CASE("a session takes a worker over", "[driver][pq][command][worker_leases]") {
    CHECK(composed(command::leases_of{{9}}, workers_session()) ==
          "LISTEN \"pgq_77_9\"() + LISTEN \"pgq_77\"() | terminate_previous(77, 9) | leases_of(9)");
    CHECK(composed(command::leases_of{{9}}, behind_a_pooler()) == "leases_of(9)");
    const auto held = rows({{binary(5L), place(70'000), null, null, no}, {binary(6L), place(70'001), null, null, no}});
    const std::vector expected{lease_ref{5, 70'000}, lease_ref{6, 70'001}};
    const auto refs = [](const pgq::result<std::vector<pgq::lease_update>>& read) {
        std::vector<lease_ref> all;
        for (const auto& one : read.value()) all.push_back(one.ref);
        return all;
    };
    CHECK(refs(test::read(command::leases_of{{9}}, {held}, behind_a_pooler())) == expected);
    // Not every role may end another session.
    CHECK(refs(test::read(command::leases_of{{9}}, {{}, {}, test::failed("42501"), held}, workers_session())) ==
          expected);
    CHECK_FALSE(
        test::read(command::leases_of{{9}}, {{}, test::failed("57014"), {}, held}, workers_session()).has_value());
    CHECK_FALSE(
        test::read(command::leases_of{{9}}, {{}, {}, {}, test::failed("57014")}, workers_session()).has_value());
}

TEST_CASE("a worker reads where its leases are, what has left them, and which flags they have",
          "[driver][pq][command][worker_leases]") {
    CHECK(composed(command::lease_updates{{9}}) == "leases_of(9)");
    const auto now = test::read(command::lease_updates{{9}},
                                {rows({{binary(5L), place(7), null, null, no},
                                       {binary(6L), place(8), "\2", array({std::int16_t{1}, std::int16_t{3}}), no}})});
    REQUIRE(now.value().size() == 2);
    CHECK(now->at(0).left.empty());
    CHECK(now->at(0).flags.empty());
    CHECK(now->at(1).left == "\2");
    CHECK(now->at(1).ref == lease_ref{6, 8});
    CHECK(now->at(1).flags == std::vector<std::int16_t>{1, 3});
}

TEST_CASE("leases are given back by their ids", "[driver][pq][command][worker_leases]") {
    const std::array leases{lease_ref{5, 1}, lease_ref{6, 2}};
    command::give_back g{leases};
    CHECK(composed(g) == "give_back({5,6})");
    CHECK(test::read(g, {some_returned}).value() == one_held);
    CHECK(g.wakes().lanes.size() == 2);
    CHECK(g.wakes().noted);  // one is held, so that jobs that waited for it may have ended or begin
}

TEST_CASE("a rescue deletes dead workers and returns their jobs in one transaction", "[driver][pq][command][rescue]") {
    command::rescue r;
    CHECK(composed(r) == "remove_dead_workers() + rescue_leases()");
    const auto reply = test::read(r, {{}, some_rescued}).value();
    CHECK(reply.returned == 3);
    CHECK(reply.held == 2);
    CHECK(reply.held_jobs ==
          std::vector<pgq::held_by_rescue>{{{7}, "its worker died"}, {{9}, "its payload is missing"}});
    CHECK_FALSE(r.wakes().empty());
    CHECK_FALSE(test::read(r, {test::failed("40P01"), {}}).has_value());
}

TEST_CASE("expire_and_purge wakes for jobs that waited for those that expired", "[driver][pq][command][rescue]") {
    command::expire_and_purge s;
    CHECK(composed(s) == "expire_and_purge(14, 48)");
    const auto reply = test::read(s, {rows({{binary(2L), binary(5L)}})}).value();
    CHECK(reply.expired == 2);
    CHECK(reply.purged == 5);
    CHECK(s.wakes().noted);
    CHECK(test::read(s, {rows({{binary(0L), binary(5L)}})}).has_value());
    CHECK(s.wakes().empty());
}

TEST_CASE("a watch listens once for a session, and not behind a pooler", "[driver][pq][command][watch]") {
    const std::array ids{job_id{7}};
    std::vector<ended_job> ended;
    command::watch w{ids, 1s, ended};
    auto info = test::own_session();
    CHECK(composed(w, info) == "LISTEN \"pgq_77_w4711\"() | watch({7}, 4711, 1000000)");
    w.learn(info);
    CHECK(composed(w, info) == "watch({7}, 4711, 1000000)");
    CHECK(composed(command::watch{ids, 1s, ended}, behind_a_pooler()) == "watch({7}, null, 1000000)");
    auto told_beside = behind_a_pooler();
    told_beside.listener = 4712;
    CHECK(composed(command::watch{ids, 1s, ended}, told_beside) == "watch({7}, 4712, 1000000)");
    const auto done = rows({{binary(7L), "d", binary(std::int16_t{2}), "", "result"}});
    CHECK(test::read(w, {done}, info).has_value());
    REQUIRE(ended.size() == 1);
    CHECK(ended[0].kind == end_kind::done);
    CHECK(ended[0].attempts == 2);
    CHECK(ended[0].has_result);
    CHECK(ended[0].result == "result");
    CHECK_FALSE(test::read(command::watch{ids, 1s, ended}, {test::failed("57014"), done}).has_value());
    CHECK(ended.size() == 1);
}

TEST_CASE("a handler's commit ends its lease in the same transaction", "[driver][pq][command][acknowledge]") {
    command::commit_acknowledging c{{9}, {5, 70'000}, "result"};
    CHECK(composed(c) ==
          "hold_lease(@70000, 5, 9) + settle_held(@70000, 5, 9, \1, null, {1}, {d}, {0}, {}, {result}) + commit()"
          " | wake_collected(77)");
    CHECK(test::read(c, {}).value());
    CHECK(test::read(c, {{}, {}, {}, test::failed("57014")}).value());
    CHECK_FALSE(test::read(c, {test::failed("22012")}).value());
    CHECK(test::read(c, {{}, test::failed("22012")}).error().code == make_sqlstate("22012"));
    CHECK(test::read(c, {{}, {}, test::failed("40001")}).error() == condition::contention);
}

TEST_CASE("a lease is ended in its own durable transaction, or inside of a caller's transaction",
          "[driver][pq][command][acknowledge]") {
    command::acknowledge a{{9}, {5, 70'000}};
    CHECK(composed(a) == "make_durable() + settle_held(@70000, 5, 9, \1, null, {1}, {d}, {0}, {}, {null})");
    CHECK(test::read(a, {{}, rows({{binary(5L)}})}).value());
    CHECK(a.wakes().noted);
    CHECK_FALSE(test::read(a, {}).value());
    CHECK(a.wakes().empty());

    CHECK(composed(command::finish_inside{{9}, {5, 70'000}}) == "finish_inside(5, 9)");
    CHECK(test::read(command::finish_inside{{9}, {5, 1}}, {}).has_value());
    CHECK(test::read(command::finish_inside{{9}, {5, 1}}, {test::failed("22P02")}).error() == errc::lease_lost);
    CHECK(test::read(command::finish_inside{{9}, {5, 1}}, {test::failed("40001")}).error() == condition::contention);

    CHECK(composed(command::owns_lease{{9}, {5, 70'000}}) == "owns_lease(@70000, 5, 9)");
    CHECK(test::read(command::owns_lease{{9}, {5, 1}}, {rows({{binary(5L)}})}).value());
    CHECK_FALSE(test::read(command::owns_lease{{9}, {5, 1}}, {}).value());
}

TEST_CASE("a wake follows the commit, or is a part of the caller's transaction", "[driver][pq][command][wake]") {
    const command::wake both{{.lanes = {{3}, {4}}, .noted = true}}, none{{}};
    CHECK(composed(both) == "wake(77, {3,4}) | wake_collected(77)");
    CHECK(composed(both, behind_a_pooler()) == "wake(77, {3,4})");
    CHECK(composed(both, test::callers_transaction()) == "wake_all(77, 3) + wake_all(77, 4) + wake_all_collected(77)");
    CHECK(composed(none).empty());
    CHECK(composed(none, test::callers_transaction()).empty());
}

TEST_CASE("statements of transactions are sent as they are", "[driver][pq][command][transaction]") {
    CHECK(composed(command::control{statement::begin}) == "begin()");
    CHECK_FALSE(test::read(command::control{statement::savepoint}, {test::failed("25P01")}).has_value());
    CHECK(composed(command::commit{}) == "commit()");
    CHECK(test::read(command::commit{}, {}).value());
    CHECK(test::read(command::commit{}, {test::failed("40001")}).error() == condition::contention);
    CHECK(composed(command::rollback_to_savepoint{}) == "rollback_to_savepoint() | release_savepoint()");
}

TEST_CASE("a handshake accepts the tables of this version alone", "[driver][pq][command][handshake]") {
    const driver::connection_options options{.schema = "mine"};
    command::handshake h{options};
    CHECK(composed(h) == "handshake(\"mine\")");
    const auto reported = [](std::int32_t version, const char* encoding) {
        return rows({{binary(version), binary(77L), binary(4711), encoding}});
    };
    REQUIRE(test::read(h, {reported(schema::version, "UTF8")}).has_value());
    driver::pq::session_info info;
    h.learn(info);
    CHECK(info.schema_id == 77);
    CHECK(info.backend == 4711);
    CHECK(test::read(h, {reported(schema::version + 1, "UTF8")}).error() == errc::schema_newer);
    CHECK(test::read(h, {reported(schema::version - 1, "UTF8")}).error() == errc::schema_older);
    CHECK(test::read(h, {reported(schema::version, "LATIN1")}).error() == errc::invalid_option);
    CHECK(test::read(h, {test::failed("42P01")}).error() == errc::schema_missing);
    CHECK(test::read(h, {test::failed("57P03")}).error().code == make_sqlstate("57P03"));
    CHECK(test::read(h, {}).error() == errc::protocol);
}

}  // namespace unit_driver_pq_command_workers
