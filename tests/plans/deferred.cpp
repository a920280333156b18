#include <plans/backlog.hpp>
#include <plans/statements.hpp>

#include <pgq/statement/claim.hpp>
#include <pgq/statement/take.hpp>

#include <support/catch.hpp>

#include <vector>

namespace plans_deferred {

using test::bound_statement;
using test::clients;
using test::million;
using test::names;
using test::ten_thousand;
using test::watched;
using test::workers;
namespace st = pgq::statement;

namespace {

/// A session, and the form of the statement that this session executes, prepared or not.
struct met {
    watched* session;
    const st::query* statement;
};

std::vector<met> by(const std::vector<watched*>& workers, const std::vector<watched*>& clients,
                    const st::query& workers_say, const st::query& clients_say) {
    std::vector<met> all;
    for (auto* w : workers) all.push_back({w, &workers_say});
    for (auto* c : clients) all.push_back({c, &clients_say});
    return all;
}
std::vector<met> promotions() { return by(workers(), clients(), st::promote, st::promote_planned); }
std::vector<met> looks_ahead() { return by(workers(), clients(), st::peek_next_due, st::look_ahead_planned); }

}  // namespace

TEST_CASE("promotion reads due jobs by the index, and no more than it promotes", "[plans][deferred]") {
    for (const auto& [session, statement] : promotions()) {
        const auto e = session->explain(bound_statement::of(*statement));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.ways_to_read("deferred") == names{"Index Scan using deferred_due", "Tid Scan"});
        CHECK(e.top.rows_read("deferred") == 1000 + 1000);
        CHECK(e.rows_sorted() <= 2000);  // the jobs, for their order and for the first of each lane
        CHECK(e.blocks() <= 24'000);     // 8054: eight for each job
    }
}

TEST_CASE("promotion costs the same with two thousand delayed jobs and with two hundred thousand",
          "[plans][deferred]") {
    const auto few = ten_thousand().worker.explain(bound_statement::of(st::promote));
    const auto many = million().worker.explain(bound_statement::of(st::promote));
    INFO(few.text() << many.text());
    CHECK(many.blocks() <= few.blocks() + 2000);  // 7075, 7953: one more index level per job
}

TEST_CASE("promotion costs next to nothing if no job is due", "[plans][deferred]") {
    for (const auto& [session, statement] : promotions()) {
        const auto e =
            session->explain(bound_statement::of(*statement), "DELETE FROM {s}.deferred WHERE run_at <= now()");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 200);  // 60: the entries of the 2000 deleted rows are passed over
    }
}

TEST_CASE("an expired job is found by the index, and its ready row by lane and rank", "[plans][deferred]") {
    for (const auto& [session, statement] : by(test::workers(), test::clients(), st::promote, st::promote_planned)) {
        const auto e = session->explain(
            bound_statement::of(*statement),
            "DELETE FROM {s}.deferred WHERE run_at <= now();"
            "UPDATE {s}.tracked SET expires_at = now() WHERE id BETWEEN 1 AND 1000 AND expires_at > now()");
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.blocks() <= 1500);  // 500: ten jobs, and what follows from their ends
    }
}

TEST_CASE("the lookup of the next due time reads the first entry of two indexes, and the workers",
          "[plans][deferred]") {
    for (const auto& [session, statement] : looks_ahead()) {
        const auto e = session->explain(bound_statement::of(*statement));
        INFO(e.text());
        CHECK(e.read_whole() == names{});
        CHECK(e.top.rows_read("deferred") == 1);
        CHECK(e.top.rows_read("tracked") == 1);
        CHECK(e.rows_sorted() == 0);
        CHECK(e.top.rows_read("worker") == 50);
        CHECK(e.blocks_of("worker") <= 75);               // 26: ids are random, so neighbours by id are apart
        CHECK(e.blocks() - e.blocks_of("worker") <= 25);  // 8
    }
}

}  // namespace plans_deferred
