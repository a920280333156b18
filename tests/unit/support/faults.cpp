#include <pgq/statement/problems.hpp>

#include <support/catch.hpp>
#include <support/faults/fault_plan.hpp>
#include <support/faults/only_slow.hpp>
#include <support/faults/session_watch.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace unit_support_faults {

using namespace std::chrono_literals;
using namespace test::faults;

namespace {

std::string number(std::uint64_t n, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(n >> 8 * i);
    return out;
}
std::string message(char type, const std::string& content) { return type + number(content.size() + 4, 4) + content; }
std::string startup(const std::string& application, const std::string& options = "") {
    std::string settings = number(3 << 16, 4) + "application_name" + '\0' + application + '\0';
    if (!options.empty()) settings += std::string{"options"} + '\0' + options + '\0';
    settings += '\0';
    return number(settings.size() + 4, 4) + settings;
}
// A transaction of one prepared statement, with one parameter.
std::string statement(const std::string& name, const std::string& parameter = "") {
    const std::string one = parameter.empty() ? number(0, 2) : number(1, 2) + number(parameter.size(), 4) + parameter;
    return message('B', '\0' + name + '\0' + number(1, 2) + number(1, 2) + one + number(0, 2));
}
std::string simple_query(const std::string& sql) { return message('Q', sql + '\0'); }
std::string complete(const std::string& tag) { return message('C', tag + '\0'); }
const std::string sync = message('S', "");
const std::string ready = message('Z', "I");

std::string row(const std::string& cell) { return message('D', number(1, 2) + number(cell.size(), 4) + cell); }

/// A session of its own that has connected.
class client {
public:
    explicit client(known_sessions& all, const std::string& options = "") : watch{all} {
        watch.sent(startup("app", options));
        (void)watch.answered(ready);
    }
    void sends(const std::string& bytes) { watch.sent(bytes + sync); }
    void works(const std::string& bytes, const std::string& answer = "") {
        sends(bytes);
        (void)watch.answered(answer + ready);
    }
    void begins_as_worker() {
        works(statement("pin_plans"));
        works(message('P', '\0' + std::string{pgq::statement::find_problems.text} + '\0') + statement(""));
    }
    void registers(std::chrono::microseconds lease_time, std::int32_t id) {
        works(statement("register_worker", number(static_cast<std::uint64_t>(lease_time.count()), 8)),
              row(number(static_cast<std::uint64_t>(id), 4)));
    }

    session_watch watch;
};

// What a plan does to the next transactions of a session.
std::set<fault> faults_of(const session_watch& s) {
    std::set<fault> seen;
    for (std::uint64_t connection = 0; connection < 20'000; ++connection)
        seen.insert(fault_plan{1, connection}.at_transaction(s));
    return seen;
}
bool is_cut_at_commit(const session_watch& s) {
    for (std::uint64_t connection = 0; connection < 20'000; ++connection)
        if (fault_plan{1, connection}.at_commit(s) != fault::none) return true;
    return false;
}
const std::set<fault> nothing{fault::none};
const std::set<fault> everything{fault::none, fault::cut_request, fault::cut_answer, fault::cut_later, fault::silence};

}  // namespace

TEST_CASE("a session that connects again by itself is cut and goes silent", "[support][faults]") {
    known_sessions all;
    client worker{all};
    worker.begins_as_worker();
    CHECK(worker.watch.kind() == session_kind::worker);
    CHECK(faults_of(worker.watch) == everything);
    worker.registers(30s, 7);

    SECTION("also the next one of the same worker") {
        client again{all};
        again.works(statement("pin_plans"));
        CHECK(faults_of(again.watch) == nothing);
        again.sends(statement("leases_of", number(7, 4)));
        CHECK(faults_of(again.watch) == everything);
    }
    SECTION("a heartbeat") {
        client heartbeat{all};
        heartbeat.sends(statement("beat", number(7, 4)));
        CHECK(heartbeat.watch.lease_time() == 30s);
        CHECK(faults_of(heartbeat.watch) == everything);
    }
    SECTION("the wait of a handle, and a scheduler") {
        for (const char* name : {"keep_schedules", "fire_schedules"}) {
            client one{all};
            one.sends(statement(name));
            CHECK(faults_of(one.watch) == everything);
        }
        client waits{all};
        for (int asked = 1; asked <= 3; ++asked) {
            waits.sends(statement("watch"));
            CHECK(faults_of(waits.watch) == nothing);  // it may have no time to ask again
        }
        waits.sends(statement("watch"));
        CHECK(faults_of(waits.watch) == everything);
    }
    SECTION("not when a worker ends its registration") {
        worker.sends(statement("give_back_all") + statement("unregister"));
        CHECK(faults_of(worker.watch) == nothing);
    }
}

TEST_CASE("a session whose calls return errors is only slow", "[support][faults]") {
    known_sessions all;
    client poller{all};
    poller.works(statement("pin_plans"));
    poller.works(statement("find_limits"));
    poller.registers(2s, 8);
    CHECK(faults_of(poller.watch) == nothing);

    client again{all};
    again.works(statement("pin_plans"));
    again.sends(statement("leases_of", number(8, 4)));
    CHECK(faults_of(again.watch) == nothing);

    client heartbeat{all};
    heartbeat.sends(statement("beat", number(8, 4)));
    CHECK(heartbeat.watch.kind() == session_kind::heartbeat);
    CHECK(faults_of(heartbeat.watch) == nothing);  // its lease time is short

    client of_test{all, std::string{only_slow}};
    of_test.sends(statement("watch"));
    CHECK(faults_of(of_test.watch) == nothing);
    CHECK_FALSE(is_cut_at_commit(of_test.watch));
}

TEST_CASE("the answer to the commit of an enqueue is found while its wake is not answered", "[support][faults]") {
    known_sessions all;
    client one{all};
    one.watch.sent(statement("enqueue_one") + sync + statement("wake") + sync);
    const std::string first = row("id") + ready, second = row("woken") + ready;

    SECTION("in one piece with other answers") {
        CHECK(one.watch.answered(first + second) == first.size());
        CHECK(one.watch.is_answered());
        CHECK(is_cut_at_commit(one.watch));
    }
    SECTION("in pieces") {
        CHECK_FALSE(one.watch.answered(first.substr(0, first.size() - 1)).has_value());
        CHECK(one.watch.answered(first.substr(first.size() - 1)) == std::size_t{1});
        CHECK_FALSE(one.watch.is_answered());
    }
    SECTION("not if the client has sent more") {
        one.watch.sent(statement("counts"));
        CHECK_FALSE(one.watch.answered(first).has_value());
    }
    SECTION("not if nothing was enqueued") {
        client other{all};
        other.watch.sent(statement("requeue") + sync + statement("wake") + sync);
        CHECK_FALSE(other.watch.answered(first).has_value());
    }
}

TEST_CASE("the end of a stream of jobs is found as the commit of an enqueue, and the answer to its wake is not",
          "[support][faults]") {
    known_sessions all;
    client one{all};
    one.watch.sent(simple_query("SELECT open_lane(1); COPY ready FROM STDIN"));
    CHECK_FALSE(one.watch.is_answered());
    CHECK_FALSE(one.watch.answered(row("") + complete("SELECT 1") + message('G', number(0, 3))).has_value());
    one.watch.sent(message('d', "jobs") + message('c', ""));

    SECTION("the stream is stored") {
        const std::string stored = complete("COPY 7") + ready;
        CHECK(one.watch.answered(stored) == stored.size());
        CHECK(one.watch.is_answered());
        one.watch.sent(statement("wake") + sync);
        one.watch.sent(statement("enqueue_many") + sync + statement("wake") + sync);
        CHECK_FALSE(one.watch.answered(row("woken") + ready).has_value());  // of the stream
        CHECK(one.watch.answered(row("id") + ready).has_value());
        CHECK_FALSE(one.watch.answered(row("woken") + ready).has_value());
        CHECK(one.watch.is_answered());
    }
    SECTION("the server refuses the stream") {
        CHECK_FALSE(one.watch.answered(message('E', "no") + ready).has_value());
        CHECK(one.watch.is_answered());
    }
}

TEST_CASE("an enqueue with a request id is cut once", "[support][faults]") {
    known_sessions all;
    client one{all};
    one.sends(statement("enqueue_tracked", "order-4711") + sync + statement("wake"));
    CHECK(one.watch.request() == "order-4711");
    std::multiset<fault> seen;
    for (std::uint64_t connection = 0; connection < 100; ++connection)
        seen.insert(fault_plan{1, connection}.at_request(one.watch, all));
    CHECK(seen.count(fault::none) == 99);
    one.sends(statement("counts"));
    CHECK(one.watch.request().empty());
}

TEST_CASE("what is encrypted, and a request to cancel, are not read", "[support][faults]") {
    known_sessions all;
    for (const std::uint64_t code : {std::uint64_t{80877103}, std::uint64_t{80877102}}) {
        session_watch s{all};
        s.sent(number(8, 4) + number(code, 4));
        CHECK(s.is_opaque());
        s.sent("anything at all");
        CHECK_FALSE(s.answered("N").has_value());
    }
}

TEST_CASE("a seed decides what happens to each connection", "[support][faults]") {
    known_sessions all;
    client worker{all};
    worker.begins_as_worker();
    const auto decisions = [&](std::uint64_t seed, std::uint64_t connection) {
        fault_plan plan{seed, connection};
        std::string out;
        for (int i = 0; i < 300; ++i)
            out += std::to_string(plan.delay(worker.watch).count()) + ' ' +
                   std::string{name_of(plan.at_transaction(worker.watch))} + ' ';
        return out;
    };
    CHECK(decisions(1, 2) == decisions(1, 2));
    CHECK(decisions(1, 2) != decisions(2, 2));
    CHECK(decisions(1, 2) != decisions(1, 3));
}

}  // namespace unit_support_faults
