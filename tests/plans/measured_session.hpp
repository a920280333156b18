#pragma once

#include <plans/plan.hpp>
#include <plans/statements.hpp>

#include <pgq/driver/pq/command/handshake.hpp>
#include <pgq/driver/pq/connection/execute.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/statement/query.hpp>

#include <support/database.hpp>

#include <boost/json/parse.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace test {

using names = std::set<std::string>;

/// What a statement did with one table or index, also in functions and triggers.
struct touched {
    std::int64_t blocks = 0;       ///< shared buffers, hit or read
    std::int64_t whole_scans = 0;  ///< for a table: the number of sequential scans
};

/// How the server executed one statement.
struct explained {
    std::string circumstances{};
    plan top;
    std::vector<plan> inner{};  ///< plans of the statements in functions, for readers; empty without auto_explain
    std::map<std::string, touched> tables{};

    std::string text() const {
        std::string out = circumstances + ": " + top.text();
        for (const auto& p : inner) out += "inside: " + p.text();
        out += "blocks: " + std::to_string(blocks()) + ", of which";
        for (const auto& [name, t] : tables) out += " " + name + " " + std::to_string(t.blocks);
        return out + "\n";
    }
    /// The bounds in the tests are about three times the measured values, which are in the comments.
    std::int64_t blocks() const {
        std::int64_t sum = 0;
        for (const auto& [name, t] : tables) sum += t.blocks;
        return sum;
    }
    std::int64_t blocks_of(const std::string& name) const {
        const auto found = tables.find(name);
        return found == tables.end() ? 0 : found->second.blocks;
    }
    /// Also in functions, if the server shows these plans.
    double rows_sorted() const {
        double sum = top.rows_sorted();
        for (const auto& p : inner) sum += p.rows_sorted();
        return sum;
    }
    /// The large tables that were read whole. Only tables that may have as many rows as there are jobs count.
    names read_whole(const names& allowed = {}) const {
        names found;
        for (const auto* name :
             {"ready", "deferred", "lease", "tracked", "unique_key", "dependency", "outcome", "failure", "minute"})
            if (const auto t = tables.find(name);
                t != tables.end() && t->second.whole_scans > 0 && !allowed.contains(name))
                found.insert(name);
        return found;
    }
};

/// The kind of program whose session this is.
enum class session_of {
    worker,          ///< with the settings of link.hpp
    client,          ///< the server plans statements for the given values, as in the first statements of a session
    settled_client,  ///< has executed each statement several times, so that the server may keep generic plans
};

/// A session that records how its statements are executed. It rolls back all changes.
class watched {
public:
    watched(const database& db, std::string circumstances, session_of whom)
        : circumstances_{std::move(circumstances)}, whom_{whom}, schema_{db.schema()}, sql_{dsn(), schema_} {
        if (whom == session_of::worker) pin_plans();
        if (whom == session_of::client) (void)run("SET plan_cache_mode = force_custom_plan");
        look_around();
        PQsetNoticeProcessor(sql_.get(), &watched::receive, this);
        watches_functions_ = succeeds(
            "LOAD 'auto_explain'; SET auto_explain.log_level = 'notice'; SET auto_explain.log_analyze = on;"
            "SET auto_explain.log_buffers = on; SET auto_explain.log_timing = off; SET auto_explain.log_format = json;"
            "SET auto_explain.log_nested_statements = on; SET client_min_messages = notice");
    }
    watched(const watched&) = delete;
    watched& operator=(const watched&) = delete;

    const sql_connection& sql() const noexcept { return sql_; }
    const std::string& schema() const noexcept { return schema_; }

    /// `first` is executed in the same transaction and is not measured.
    explained explain(const bound_statement& a, std::string_view first = {}) {
        if (whom_ == session_of::settled_client && used_to_.insert(a.name).second) warm_up(a);
        (void)carry_out(a, first);  // fills the session's caches, and marks dead entries of indexes
        return carry_out(a, first);
    }

    /// Executes the statement so often that the server keeps a plan if it ever does. The statement may fail: its plan
    /// is made before.
    void warm_up(const bound_statement& a) {
        for (int i = 0; i < 6; ++i) {
            try {
                (void)carry_out(a, {});
            } catch (const std::exception&) {}
        }
    }

private:
    void pin_plans() {
        namespace pq = pgq::driver::pq;
        pq::step s{.query = &pq::pin_plans};
        s.params.text("off").boolean(false);
        pq::execute(sql_.get(), s, "");
        check(s.reply.get(), pq::pin_plans.name);
    }

    // The tables and indexes of the schema. The table of large values of X is "X (toast)".
    void look_around() {
        const auto r = sql_.exec(
            "WITH mine AS (SELECT * FROM pg_class WHERE relnamespace = to_regnamespace('{q}') AND relkind IN ('r', "
            "'i')),"
            " apart AS (SELECT reltoastrelid AS oid, relname || ' (toast)' AS name FROM mine WHERE reltoastrelid <> 0),"
            " every AS (SELECT oid, relname::text AS name FROM mine UNION ALL SELECT * FROM apart"
            " UNION ALL SELECT i.indexrelid, name FROM apart JOIN pg_index i ON i.indrelid = apart.oid)"
            " SELECT array_agg(oid), array_agg(name) FROM every");
        relations_ = std::string{"unnest('"} + PQgetvalue(r.get(), 0, 0) + "'::oid[], '" + PQgetvalue(r.get(), 0, 1) +
                     "'::text[]) r(oid, name)";
    }

    // If it fails, the session can execute the next statement.
    explained carry_out(const bound_statement& a, std::string_view first) {
        try {
            return measure(a, first);
        } catch (const std::exception&) {
            (void)run("ROLLBACK");
            throw;
        }
    }

    explained measure(const bound_statement& a, std::string_view first) {
        const auto arguments = prepare(a);
        (void)run("BEGIN");
        if (!first.empty()) (void)sql_.exec(first);
        const auto before = counters();
        if (watches_functions_) (void)run("SET LOCAL auto_explain.log_min_duration = 0");
        received_.clear();
        const auto answer =
            run("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE " + prepared_as(a) + arguments);
        const auto received = std::exchange(received_, {});
        if (watches_functions_) (void)run("SET LOCAL auto_explain.log_min_duration = -1");
        explained e{.circumstances = circumstances_,
                    .top = plan{a.name, boost::json::parse(PQgetvalue(answer.get(), 0, 0)).at(0).as_object()},
                    .tables = difference(before, counters())};
        (void)run("ROLLBACK");
        const auto text = sql_.rendered(a.text);
        for (const auto& h : received)
            if (auto p = plan_inside(h, text)) e.inner.push_back(std::move(*p));
        return e;
    }

    static std::string prepared_as(const bound_statement& a) { return pgq::statement::quoted("plan_" + a.name); }

    // Prepares the statement if the library would, and writes its parameters as literals.
    std::string prepare(const bound_statement& a) {
        const auto& p = a.params;
        const int n = static_cast<int>(p.size());
        if (!a.prepare && prepared_.erase(a.name) != 0) (void)run("DEALLOCATE " + prepared_as(a));
        if (prepared_.insert(a.name).second) {
            const auto name = "plan_" + a.name;
            const pgq::driver::pq::result_ptr r{
                PQprepare(sql_.get(), name.c_str(), sql_.rendered(a.text).c_str(), n, p.types())};
            check(r.get(), a.name);
        }
        if (n == 0) return {};
        std::string out = "(";
        for (const auto& literal : literals(a)) out += (out.size() == 1 ? "" : ", ") + literal;
        return out + ")";
    }

    std::vector<std::string> literals(const bound_statement& a) const {
        const auto& p = a.params;
        std::string ask = "SELECT ";
        std::vector<const char*> values;
        std::vector<int> lengths, formats(p.size(), 1);
        for (std::size_t i = 0; i < p.size(); ++i) {
            ask += (i == 0 ? "quote_nullable($" : ", quote_nullable($") + std::to_string(i + 1) + "::text)";
            values.push_back(p.value(i));
            lengths.push_back(p.length(i));
        }
        const pgq::driver::pq::result_ptr r{PQexecParams(sql_.get(), ask.c_str(), static_cast<int>(p.size()), p.types(),
                                                         values.data(), lengths.data(), formats.data(), 0)};
        check(r.get(), a.name);
        std::vector<std::string> found;
        for (int i = 0; i < PQnfields(r.get()); ++i) found.emplace_back(PQgetvalue(r.get(), 0, i));
        return found;
    }

    // Within a transaction these counters only grow: the server sends nothing to its statistics.
    std::map<std::string, touched> counters() const {
        const auto r =
            run("SELECT name, sum(pg_stat_get_xact_blocks_fetched(oid)), sum(pg_stat_get_xact_numscans(oid)) FROM " +
                relations_ + " GROUP BY name");
        std::map<std::string, touched> found;
        for (int i = 0; i < PQntuples(r.get()); ++i)
            found[PQgetvalue(r.get(), i, 0)] = {.blocks = std::atoll(PQgetvalue(r.get(), i, 1)),
                                                .whole_scans = std::atoll(PQgetvalue(r.get(), i, 2))};
        return found;
    }
    static std::map<std::string, touched> difference(const std::map<std::string, touched>& before,
                                                     std::map<std::string, touched> after) {
        for (const auto& [name, b] : before) {
            auto& a = after[name];
            a.blocks -= b.blocks, a.whole_scans -= b.whole_scans;
        }
        std::erase_if(after, [](const auto& t) { return t.second.blocks == 0 && t.second.whole_scans == 0; });
        return after;
    }

    // "NOTICE:  duration: 0.123 ms  plan:\n{...}"; the plan of the statement itself is among them.
    static std::optional<plan> plan_inside(const std::string& received, const std::string& outer) {
        const auto begin = received.find("plan:\n{"), end = received.rfind('}');
        if (begin == std::string::npos || end == std::string::npos) return std::nullopt;
        const auto json = boost::json::parse(received.substr(begin + 6, end - begin - 5));
        const std::string query{json.at("Query Text").as_string().c_str()};
        if (query == outer) return std::nullopt;
        return plan{query, json.as_object()};
    }

    pgq::driver::pq::result_ptr run(const std::string& sql) const {
        pgq::driver::pq::result_ptr r{PQexec(sql_.get(), sql.c_str())};
        check(r.get(), sql);
        return r;
    }
    bool succeeds(const std::string& sql) const {
        const pgq::driver::pq::result_ptr r{PQexec(sql_.get(), sql.c_str())};
        return PQresultStatus(r.get()) == PGRES_COMMAND_OK;
    }
    void check(const PGresult* r, const std::string& what) const {
        const auto status = PQresultStatus(r);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw std::runtime_error{circumstances_ + ": " + what + ": " + PQerrorMessage(sql_.get())};
    }
    static void receive(void* self, const char* text) { static_cast<watched*>(self)->received_.emplace_back(text); }

    std::string circumstances_;
    session_of whom_;
    std::string schema_;
    sql_connection sql_;
    std::string relations_;
    std::set<std::string> prepared_;
    std::set<std::string> used_to_;
    std::vector<std::string> received_;
    bool watches_functions_ = false;
};

}  // namespace test
