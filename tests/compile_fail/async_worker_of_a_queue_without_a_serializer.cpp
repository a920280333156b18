// expect: pgq: a job type has no serializer\. Add pgq::serializer::json

#include <pgq/asio.hpp>
#include <pgq/pgq.hpp>

struct mail {
    static constexpr auto entrypoint = "mail";
    int id;
};
BOOST_HANA_ADAPT_STRUCT(mail, id);

void run(pgq::queue<pgq::driver::asio_libpq, pgq::job<mail>>& jobs) {
    pgq::async_worker w{jobs, [](const mail&) {}};
    (void)w.async_run(asio::use_awaitable);
}
