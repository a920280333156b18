// run:
#include <pgq/driver/borrow.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <pqxx/connection.hxx>
#include <pqxx/result.hxx>
#include <pqxx/transaction.hxx>

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

// A program that uses libpqxx (version 6) and enqueues jobs in its own transactions: an order and the job that ships it
// are committed together, or not at all.

namespace app {

// The adapter. libpqxx hides its PGconn, but a connection policy creates it and can keep the pointer.
class keep_handle : public pqxx::connect_direct {
public:
    using pqxx::connect_direct::connect_direct;

    handle do_startconnect(handle h) override { return handle_ = connect_direct::do_startconnect(h); }
    handle do_completeconnect(handle h) override { return handle_ = connect_direct::do_completeconnect(h); }
    handle do_dropconnect(handle h) noexcept override { return handle_ = connect_direct::do_dropconnect(h); }
    handle do_disconnect(handle h) noexcept override { return handle_ = connect_direct::do_disconnect(h); }

    PGconn* get() const noexcept { return handle_; }

private:
    handle handle_ = nullptr;
};

class connection : private keep_handle, public pqxx::connection_base {
public:
    explicit connection(const std::string& conninfo)
        : keep_handle{conninfo}, connection_base{static_cast<keep_handle&>(*this)} {
        init();
    }
    ~connection() { close(); }

    // Valid until the connection closes: libpqxx 6 makes another handle when it reconnects.
    using keep_handle::get;
};

struct ship {
    static constexpr std::string_view entrypoint = "ship";
    std::int64_t order = 0;
};

using store_front = pgq::queue<ship, pgq::driver::borrow, pgq::serializer::json, pgq::executor::in_place>;
using warehouse = pgq::rebind<store_front, pgq::driver::libpq>;  // workers have their own connections

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::ship, order);

int main(int argc, char** argv) try {
    const char* dsn = std::getenv("PGQ_DSN");
    const std::string conninfo = argc > 1 ? argv[1] : dsn != nullptr ? dsn : "";
    const pgq::queue_options name{.name = "libpqxx " + std::to_string(::getpid())};  // a queue of this process only
    app::warehouse stock{pgq::driver::libpq{conninfo}, name};
    stock.install().value();

    app::connection db{conninfo};
    db.set_client_encoding("UTF8");
    app::store_front jobs{pgq::driver::borrow{db.get()}, name};
    jobs.lanes().value();  // outside of a transaction, because a rollback would remove the new lanes

    const auto place_order = [&](std::int64_t number, bool paid) {
        pqxx::work tx{db};
        tx.exec("CREATE TEMPORARY TABLE IF NOT EXISTS orders (number bigint PRIMARY KEY)");
        tx.exec("INSERT INTO orders VALUES (" + tx.quote(number) + ")");
        jobs.enqueue(app::ship{number}).value();  // in the transaction of `tx`
        if (paid) tx.commit();                    // otherwise both are rolled back
    };
    place_order(1, true);
    place_order(2, false);
    place_order(3, true);

    std::int64_t shipped = 0;
    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{stock, until_empty, [&](const app::ship& s) {
                      std::printf("order %lld shipped\n", static_cast<long long>(s.order));
                      shipped += s.order;
                  }};
    w.run().value();
    return shipped == 1 + 3 ? 0 : 1;
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "libpqxx_adapter: %s\n", e.info().text().c_str());
    return 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "libpqxx_adapter: %s\n", e.what());
    return 1;
}
