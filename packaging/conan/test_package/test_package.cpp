// Runs a job on the memory driver with the serializer of each component that the package brings, and uses the others.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>

#ifdef USES_LIBPQ
#include <pgq/driver/libpq.hpp>
#endif
#ifdef USES_ASIO
#include <pgq/asio.hpp>

#include <asio/io_context.hpp>
#endif
#ifdef USES_JSON
#include <pgq/serializer/json.hpp>
#endif
#ifdef USES_NLOHMANN
#include <pgq/serializer/nlohmann.hpp>
#endif
#ifdef USES_SODIUM
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/keys.hpp>
#endif
#ifdef USES_ZSTD
#include <pgq/serializer/compressed.hpp>
#endif
#ifdef USES_TIMEZONES
#include <pgq/cron.hpp>
#include <pgq/timezones.hpp>

#include <chrono>
#endif

#ifdef USES_CLI
#include <pgq/cli.hpp>
#endif

#ifdef USES_PROMETHEUS
#include <pgq/observer/prometheus.hpp>

#include <prometheus/text_serializer.h>
#endif

#include <cstdio>
#include <string>
#include <string_view>

namespace app {
struct greet {
    static constexpr std::string_view entrypoint = "greet";
    std::string name{};
};
#ifdef USES_SODIUM
pgq::serializer::key_ring keys;
using encrypted = pgq::serializer::encrypted<pgq::serializer::raw, pgq::serializer::keys_of<keys>>;
#endif
}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::greet, name);

namespace {

template <class Driver, class Serializer>
using queue_of = pgq::queue<pgq::job<app::greet>, Driver, Serializer, pgq::executor::in_place>;

template <class Serializer>
bool runs(const char* what) {
    queue_of<pgq::driver::memory, Serializer> jobs{pgq::driver::memory{}};
    jobs.enqueue(app::greet{"Ada"}).value();

    std::string greeted;
    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [&](const app::greet& g) { greeted += g.name; }};
    w.run().value();
    std::printf("pgq %s, %s: hello, %s\n", PGQ_VERSION, what, greeted.c_str());
    return greeted == "Ada";
}

#ifdef USES_TIMEZONES
bool knows_berlin() {
    using namespace std::chrono;
    const auto berlin = pgq::time_zone::find("Europe/Berlin").value();
    const sys_seconds new_year = sys_days{2026y / January / 1};
    return pgq::cron::every<"30 2 * * *">.next(new_year, berlin) == new_year + 1h + 30min;
}
#endif

}  // namespace

int main() try {
    bool good = runs<pgq::serializer::raw>("raw");
#ifdef USES_JSON
    good = runs<pgq::serializer::json>("json") && good;
#endif
#ifdef USES_NLOHMANN
    good = runs<pgq::serializer::nlohmann>("nlohmann") && good;
#endif
#ifdef USES_ZSTD
    good = runs<pgq::serializer::compressed<pgq::serializer::raw>>("zstd") && good;
#endif
#ifdef USES_SODIUM
    app::keys.use(pgq::serializer::secret_key::random("key"));
    good = runs<app::encrypted>("sodium") && good;
#endif
#ifdef USES_TIMEZONES
    good = knows_berlin() && good;
#endif
#ifdef USES_PROMETHEUS
    good = !prometheus::TextSerializer{}.Serialize(pgq::observer::prometheus{}.Collect()).empty() && good;
#endif
#ifdef USES_LIBPQ
    queue_of<pgq::driver::libpq, pgq::serializer::raw> stored{pgq::driver::libpq{"host=/nonexistent"}};
    good = !stored.install() && good;  // no server, so an error
#endif
#ifdef USES_CLI
    char name[] = "test_package", version[] = "--version";
    char* line[] = {name, version};
    using cli_queue = queue_of<pgq::driver::libpq, pgq::serializer::raw>;
    good = pgq::main(2, line, pgq::app<cli_queue>{}, [](const app::greet&) {}) == 0 && good;
#endif
#ifdef USES_ASIO
    good = asio::io_context{}.run() == 0 && good;
#endif
    return good ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "test_package: %s\n", e.info().text().c_str());
    return 1;
}
