#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/jobs.hpp>

#include <pgq/executor/in_place.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scenarios_statement_hook {

using test::database;
using test::note;

namespace {

struct seen_statement {
    std::string name, text;
    std::vector<std::string> parameters{};
    std::vector<Oid> types{};
};

// Stores all statements that it gets.
struct event_counts {
    std::mutex mutex;
    std::vector<seen_statement> all;

    void see(const pgq::driver::sent_statement& s) {
        const std::lock_guard lock{mutex};
        seen_statement mine{.name = std::string{s.name}, .text = std::string{s.text}};
        for (std::size_t i = 0; i < s.parameters.size(); ++i) {
            mine.parameters.emplace_back(s.parameters[i]);
            mine.types.push_back(s.types[i]);
        }
        all.push_back(std::move(mine));
    }
    std::vector<seen_statement> of(std::string_view name) {
        const std::lock_guard lock{mutex};
        std::vector<seen_statement> found;
        std::copy_if(all.begin(), all.end(), std::back_inserter(found), [&](const auto& s) { return s.name == name; });
        return found;
    }
};

}  // namespace

TEST_CASE("a hook gets each statement with its SQL and arguments, and they suffice for an EXPLAIN",
          "[scenario][pgjobq34]") {
    const database db;
    const auto seen = std::make_shared<event_counts>();
    auto options = db.options();
    options.on_statement = [seen](const pgq::driver::sent_statement& s) { seen->see(s); };
    {
        pgq::queue<note, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place> jobs{
            pgq::driver::libpq{options}};
        (void)jobs.enqueue(note{.n = 7, .text = "read me"}).value();
        pgq::worker w{jobs, pgq::worker_options{.until = pgq::run_until::empty}, [](const note&) {}};
        w.run().value();
    }
    const auto puts = seen->of("enqueue_one");
    REQUIRE(puts.size() == 1);
    CHECK(puts[0].text.find("INSERT INTO \"" + db.schema() + "\".ready") != std::string::npos);
    REQUIRE(puts[0].parameters.size() == 3);
    CHECK(puts[0].parameters[2].find("read me") != std::string::npos);
    const auto claims = seen->of("claim_few");
    REQUIRE(claims.size() >= 1);
    CHECK(seen->of("finish").size() == 1);
    CHECK(seen->of("wake").size() >= 1);

    // The arguments suffice for an EXPLAIN over another connection.
    const auto& claim = claims.front();
    std::vector<const char*> values;
    std::vector<int> lengths, formats(claim.parameters.size(), 1);
    for (const auto& p : claim.parameters) values.push_back(p.data()), lengths.push_back(static_cast<int>(p.size()));
    const pgq::driver::pq::result_ptr plan{PQexecParams(db.connection(), ("EXPLAIN " + claim.text).c_str(),
                                                        static_cast<int>(values.size()), claim.types.data(),
                                                        values.data(), lengths.data(), formats.data(), 0)};
    REQUIRE(PQresultStatus(plan.get()) == PGRES_TUPLES_OK);
    CHECK(PQntuples(plan.get()) > 0);  // one line where the statement is a function, behind a pooler
}

}  // namespace scenarios_statement_hook
