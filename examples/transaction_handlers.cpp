// A handler writes into the database exactly once: in the transaction that ends its job.
//
// transaction_handlers [CONNECTION-STRING]; PGHOST, PGDATABASE, PGUSER ... give what the string leaves out. The program
// needs two tables: account (name text, cents bigint), and first_gift (name text PRIMARY KEY).

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct transfer {
    static constexpr std::string_view entrypoint = "transfer";
    std::string from{}, to{};
    std::int64_t cents = 0;
};
struct receipt {
    static constexpr std::string_view entrypoint = "receipt";
    std::string text{};
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::transfer, from, to, cents);
BOOST_HANA_ADAPT_STRUCT(app::receipt, text);

namespace app {

using bank = pgq::queue<transfer, receipt, pgq::driver::libpq, pgq::serializer::json, pgq::executor::in_place>;
using transaction = pgq::transaction<bank>;

// One transaction changes both accounts, enqueues the receipt and ends the job.
pgq::outcome move_money(const transfer& t, transaction& tx) {
    constexpr auto change = "UPDATE account SET cents = cents + $2 WHERE name = $1 AND cents + $2 >= 0";
    if (tx.exec(change, t.from, -t.cents).value().affected() == 0) return pgq::hold{t.from + " cannot pay"};
    if (tx.exec(change, t.to, t.cents).value().affected() == 0) return pgq::hold{"there is no " + t.to};

    // If the insert fails, only the savepoint is rolled back.
    const auto noted = tx.savepoint([&] { return tx.exec("INSERT INTO first_gift VALUES ($1)", t.to); });
    const std::string text = t.to + " got " + std::to_string(t.cents) + (noted ? ", the first time" : ", again");
    (void)tx.enqueue(receipt{text}).value();
    return pgq::done{};
}

}  // namespace app

int main(int argc, char** argv) try {
    app::bank jobs{pgq::driver::libpq{argc > 1 ? argv[1] : ""}};
    jobs.install().value();
    jobs.enqueue(std::vector<app::transfer>{{"ada", "grace", 2500}, {"ada", "grace", 500}, {"grace", "ada", 9900}})
        .value();

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, app::move_money,
                  [](const app::receipt& r) { std::printf("%s\n", r.text.c_str()); }};
    w.run().value();
    for (const auto& held : jobs.held<app::transfer>().value()) std::printf("held: %s\n", held.reason.c_str());
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "transaction_handlers: %s\n", e.info().text().c_str());
    return 1;
}
