// run:
// One queue, two workers: one runs mails and pictures, the other the reports. Then one worker for many queues.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <boost/hana/adapt_struct.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace app {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::int64_t to = 0;
};
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    std::int64_t picture = 0;
};
struct report {
    static constexpr std::string_view entrypoint = "report";
    std::int64_t month = 0;
};

}  // namespace app

BOOST_HANA_ADAPT_STRUCT(app::send_email, to);
BOOST_HANA_ADAPT_STRUCT(app::resize, picture);
BOOST_HANA_ADAPT_STRUCT(app::report, month);

using shop = pgq::queue<app::send_email, app::resize, app::report, pgq::driver::memory, pgq::serializer::json,
                        pgq::executor::in_place>;

int main() {
    shop jobs{pgq::driver::memory{}};
    jobs.enqueue(app::send_email{1}).value();
    jobs.enqueue(app::report{2}).value();
    jobs.enqueue(app::resize{3}).value();

    int small = 0, large = 0;
    const pgq::worker_options until_empty{.until = pgq::run_until::empty};

    // The worker has no handler for reports, and never claims one.
    pgq::worker light{pgq::serving<app::send_email, app::resize>(jobs), until_empty,
                      [&](const app::send_email&) { ++small; }, [&](const app::resize&) { ++small; }};
    light.run().value();

    // Perhaps in another program, on a machine with more memory.
    pgq::worker heavy{pgq::serving<app::report>(jobs), until_empty, [&](const app::report&) { ++large; }};
    heavy.run().value();

    // A queue for each tenant, and one worker for all of them.
    for (const char* name : {"tenant-a", "tenant-b"}) {
        shop tenant{jobs.driver(), {.name = name}};
        tenant.enqueue(app::send_email{4}).value();
    }
    const auto tenants = pgq::queue_names::with_prefix("tenant-");
    pgq::worker all{jobs, pgq::worker_options{.until = pgq::run_until::empty, .queues = &tenants},
                    [&](const app::send_email& m, const pgq::context& c) {
                        std::printf("%s: mail %d\n", std::string{c.queue_name()}.c_str(), static_cast<int>(m.to));
                    },
                    [](const app::resize&) {}, [](const app::report&) {}};
    all.run().value();

    std::printf("%d small jobs, %d large\n", small, large);
    return small == 2 && large == 1 ? 0 : 1;
}
