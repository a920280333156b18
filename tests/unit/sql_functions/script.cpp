#include <pgq/driver/memory.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/sql_functions.hpp>
#include <pgq/unique_by.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace unit_sql_functions_script {

namespace emitted {

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
    int pages = 3;
};

struct blob {
    static constexpr std::string_view entrypoint = "blob";
    std::string bytes{};
};

// 70 two-byte characters, and the same but for the last one.
#define PGQ_TEN "\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc"
#define PGQ_SEVENTY PGQ_TEN PGQ_TEN PGQ_TEN PGQ_TEN PGQ_TEN PGQ_TEN PGQ_TEN
struct longish {
    static constexpr std::string_view entrypoint = PGQ_SEVENTY "a";
    int n = 0;
};
struct longer {
    static constexpr std::string_view entrypoint = PGQ_SEVENTY "b";
    int n = 0;
};
struct odd {
    static constexpr std::string_view entrypoint = "a\"b'c\nDROP TABLE x; --\\ $pgq$ {f} %s";
    int n = 0;
};
struct secret {
    static constexpr std::string_view entrypoint = "secret";
    int n = 0;
    int twice() const noexcept { return 2 * n; }
};
struct enqueue_by_name {
    static constexpr std::string_view entrypoint = "enqueue";
    int n = 0;
};

/// Looks encrypted.
struct sealed {
    using policy_category = pgq::serializer_tag;
    static constexpr bool encrypts = true;
    template <class Job>
    pgq::result<void> write(const Job&, std::string&) const {
        return {};
    }
    template <class Job>
    pgq::result<void> read(std::string_view, Job&) const {
        return {};
    }
};

template <class... Args>
using queue = pgq::queue<pgq::driver::memory, pgq::serializer::json, Args...>;

}  // namespace emitted

}  // namespace unit_sql_functions_script

BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::mail, to, pages);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::blob, bytes);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::longish, n);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::longer, n);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::odd, n);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::secret, n);
BOOST_HANA_ADAPT_STRUCT(unit_sql_functions_script::emitted::enqueue_by_name, n);

namespace unit_sql_functions_script {

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a function shows its members with their types and defaults", "[sql_functions]") {
    const auto script = pgq::sql_functions<emitted::queue<emitted::mail>>().value();
    CHECK(has(script,
              "FUNCTION \"pgq_jobs\".\"enqueue_mail\"(\n    \"payload\" jsonb DEFAULT '\"members\"',\n"
              "    \"to\" text DEFAULT '',\n    \"pages\" integer DEFAULT 3,\n    \"priority\" integer DEFAULT 0,\n"));
}

TEST_CASE("a script is the same each time, and its checksum tells it from others", "[sql_functions]") {
    using queue = emitted::queue<emitted::mail>;
    const auto one = pgq::sql_functions<queue>().value();
    CHECK(pgq::sql_functions<queue>().value() == one);
    CHECK(one.substr(0, 32) == "-- pgq sql_functions 1, checksum");
    const auto other = pgq::sql_functions<queue>({.queue = "other"}).value();
    CHECK(one.substr(0, one.find('\n')) != other.substr(0, other.find('\n')));
}

TEST_CASE("two long names that PostgreSQL would cut to one make two functions", "[sql_functions][names]") {
    const std::string one = pgq::detail::sql::identifier("enqueue_" PGQ_SEVENTY "a");
    const std::string two = pgq::detail::sql::identifier("enqueue_" PGQ_SEVENTY "b");
    const auto script = pgq::sql_functions<emitted::queue<emitted::longish, emitted::longer>>().value();
    CHECK(has(script, "\"" + one + "\""));
    CHECK(has(script, "\"" + two + "\""));
}

TEST_CASE("a name never becomes SQL, nor ends a comment or a quote", "[sql_functions][names]") {
    const auto script = pgq::sql_functions<emitted::queue<emitted::odd>>().value();
    CHECK(has(script, "\"enqueue_a\"\"b'c\nDROP TABLE x; --\\ $pgq$ {f} %s\""));
    CHECK(has(script, "E'a\"b''c\nDROP TABLE x; --\\\\ $pgq$ {f} %s'"));
    CHECK(has(script, "$pgq1$"));
}

TEST_CASE("entrypoints that SQL cannot enqueue are left out with a comment", "[sql_functions]") {
    using queue = emitted::queue<emitted::mail, pgq::job<emitted::blob, emitted::sealed>,
                                 pgq::job<emitted::secret, pgq::limiter::serialized_by<&emitted::secret::twice>>,
                                 pgq::job<emitted::longish, pgq::unique_by<&emitted::longish::n>>>;
    const auto script = pgq::sql_functions<queue>().value();
    CHECK(has(script, "-- no function for blob: its payload is encrypted\n"));
    CHECK(has(script, "-- no function for secret: the key of its limit is computed by the program\n"));
    CHECK(has(script, "enqueue_mail"));
    CHECK_FALSE(has(script, "enqueue_blob"));
    CHECK_FALSE(has(script, "enqueue_secret"));
    CHECK(has(script, ": its unique key is made by the program\n"));
}

TEST_CASE("a queue with payloads of several formats emits for those job types that are named", "[sql_functions]") {
    using queue = emitted::queue<emitted::mail, pgq::job<emitted::blob, pgq::serializer::raw>>;
    const auto script = pgq::sql_functions<queue, emitted::mail>().value();
    CHECK(has(script, "enqueue_mail"));
    CHECK_FALSE(has(script, "blob"));
}

TEST_CASE("options that PostgreSQL cannot take are errors, and so are two functions of one name",
          "[sql_functions][names]") {
    using queue = emitted::queue<emitted::mail>;
    const auto code = [](const auto& r) { return r ? std::error_code{} : r.error().code; };
    const auto bad = make_error_code(pgq::errc::invalid_name);
    CHECK(code(pgq::sql_functions<queue>({.queue = ""})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.queue = std::string(256, 'x')})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.jobs_schema = ""})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.jobs_schema = std::string(64, 'x')})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.schema = std::string("a\0b", 3)})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.prefix = "\xff"})) == bad);
    CHECK(code(pgq::sql_functions<queue>({.grant_to = {""}})) == bad);
    CHECK(code(pgq::sql_functions<emitted::queue<emitted::enqueue_by_name>>({.prefix = ""})) == bad);
    CHECK(pgq::sql_functions<emitted::queue<emitted::enqueue_by_name>>().has_value());
}

}  // namespace unit_sql_functions_script
