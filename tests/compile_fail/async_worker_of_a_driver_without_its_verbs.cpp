// expect: pgq: async_worker cannot use the sessions of this driver: an asynchronous verb
// within: 30 lines

#include "fakes.hpp"

#include <pgq/asio.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

struct job {
    static constexpr auto entrypoint = "j";
    int x;
};
BOOST_HANA_ADAPT_STRUCT(job, x);

struct driver : fakes::driver {
    static constexpr bool is_async = true;
    struct async_client {};
    asio::any_io_executor get_executor() const;
};

void run(pgq::queue<driver, pgq::job<job>, pgq::serializer::json>& jobs) {
    pgq::async_worker w{jobs, [](const job&) {}};
    (void)w.async_run(asio::use_awaitable);
}
