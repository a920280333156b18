#include <pgq/driver/libpq.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/time/manual_clock.hpp>

#include <support/catch.hpp>
#include <support/database.hpp>
#include <support/history.hpp>
#include <support/reusable_schema.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>

namespace laws_histories {

namespace {

// Time passes in a database: each time that is stored moves into the past.
class moved_clock {
public:
    explicit moved_clock(const std::string& schema)
        : line_{test::dsn(), schema},
          changes_{line_.query_text("SELECT string_agg(text, '; ') FROM (SELECT format('UPDATE %I.%I SET ', "
                                    "c.table_schema, c.table_name) || string_agg(format('%1$I = CASE WHEN "
                                    "isfinite(%1$I) THEN %1$I - interval ''SPAN'' ELSE %1$I END', "
                                    "c.column_name), ', ') AS text FROM information_schema.columns c JOIN "
                                    "information_schema.tables b USING (table_schema, table_name) WHERE "
                                    "b.table_type = 'BASE TABLE' AND c.table_schema = '" +
                                    schema +
                                    "' AND c.data_type = 'timestamp with time zone' AND c.table_name NOT IN "
                                    "('minute', 'hour', 'migration') GROUP BY c.table_schema, c.table_name) t")} {}
    void pass(pgq::duration d) const {
        const auto span = std::to_string(std::chrono::duration_cast<std::chrono::seconds>(d).count()) + " s";
        std::string all = changes_;
        for (std::size_t at; (at = all.find("SPAN")) != std::string::npos;) all.replace(at, 4, span);
        (void)line_.exec(all);
    }
    // To read the catalog takes as long as a history, so one clock is for all histories in a schema.
    static const moved_clock& of(const std::string& schema) {
        static std::map<std::string, moved_clock> all;
        return all.try_emplace(schema, schema).first->second;
    }

private:
    test::sql_connection line_;
    std::string changes_;
};

pgq::laws::strings in_memory(std::uint64_t seed) {
    pgq::manual_clock clock;
    return test::history{pgq::driver::memory::with_clock(clock), [&](pgq::duration d) { clock.advance(d); }, seed}.run(
        60);
}

pgq::laws::strings in_database(std::uint64_t seed) {
    const auto options = test::reusable_schema::next();
    const auto& clock = moved_clock::of(options.schema);
    return test::history{pgq::driver::libpq{options}, [&](pgq::duration d) { clock.pass(d); }, seed}.run(60);
}

// PGQ_SEED=N compares the history of that seed alone.
void check_histories(std::uint64_t count) {
    const char* const one = std::getenv("PGQ_SEED");
    const auto first = one != nullptr ? std::strtoull(one, nullptr, 10) : 1;
    const auto last = one != nullptr ? first : first + count - 1;
    for (auto seed = first; seed <= last; ++seed) {
        const auto memory = in_memory(seed), database = in_database(seed);
        std::string text = "PGQ_SEED=" + std::to_string(seed) + " repeats it\n";
        std::size_t same = 0;
        while (same < memory.size() && same < database.size() && memory[same] == database[same])
            text += "    " + memory[same++] + '\n';
        if (memory == database) continue;
        text += "in memory:   " + (same < memory.size() ? memory[same] : "nothing") + '\n';
        text += "in database: " + (same < database.size() ? database[same] : "nothing") + '\n';
        FAIL(text);
    }
}

}  // namespace

TEST_CASE("two hundred random histories end in memory as in PostgreSQL", "[driver][memory][laws][history]") {
    check_histories(200);
}
TEST_CASE("a thousand random histories end in memory as in PostgreSQL", "[driver][memory][laws][history][slow]") {
    check_histories(1000);
}

}  // namespace laws_histories
