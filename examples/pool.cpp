// run:
#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// A server with eight threads that enqueue over four connections.

namespace app {

struct visit {
    static constexpr std::string_view entrypoint = "visit";
    std::int64_t visitor = 0;
};

using queue = pgq::queue<visit, pgq::driver::pool<pgq::driver::libpq>, pgq::serializer::json>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::visit, visitor);

int main(int argc, char** argv) try {
    const char* dsn = std::getenv("PGQ_DSN");
    const std::string conninfo = argc > 1 ? argv[1] : dsn != nullptr ? dsn : "";

    using namespace std::chrono_literals;
    const pgq::driver::pool connections{pgq::driver::libpq{conninfo}, {.min = 1, .max = 4, .wait = 10s}};
    app::queue jobs{connections, {.name = "pool " + std::to_string(::getpid())}};  // a queue of this process only
    jobs.install().value();
    connections.open().value();  // connects now, so that an error shows at the start

    std::vector<std::thread> server;
    for (std::int64_t t = 0; t < 8; ++t)
        server.emplace_back([&jobs, t] {
            for (std::int64_t i = 0; i < 25; ++i)
                if (const auto id = jobs.enqueue(app::visit{100 * t + i}); !id)
                    std::fprintf(stderr, "visit %lld is not recorded: %s\n", static_cast<long long>(100 * t + i),
                                 id.error().text().c_str());
        });
    for (auto& thread : server) thread.join();

    const auto waiting = jobs.counts<app::visit>().value().ready;
    const pgq::driver::pool_counts now = connections.counts();
    std::printf("%lld visits over %zu connections\n", static_cast<long long>(waiting), now.idle + now.lent);

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::visit&) {}};
    w.run().value();
    return waiting == 8 * 25 && now.idle <= 4 && now.lent == 0 ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "pool: %s\n", e.info().text().c_str());
    return 1;
}
