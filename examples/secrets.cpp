// run:
// Payloads that nobody but the handler can read: encrypted, compressed when they are long, with a key that is replaced.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace app {

struct open_account {
    static constexpr std::string_view entrypoint = "open_account";
    std::string user{};
    pgq::sensitive<std::string> password{};
};

// Filled when the program starts, say from the environment or a secret store.
pgq::serializer::key_ring keys;

using sealed =
    pgq::serializer::encrypted<pgq::serializer::compressed<pgq::serializer::json>, pgq::serializer::keys_of<app::keys>>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::open_account, user, password);

using app_queue = pgq::queue<pgq::job<app::open_account>, pgq::driver::memory, app::sealed, pgq::executor::in_place>;

namespace {

pgq::serializer::secret_key key_from(const char* variable, std::string id) {
    const char* const digits = std::getenv(variable);  // 64 of them: openssl rand -hex 32
    if (digits == nullptr) return pgq::serializer::secret_key::random(std::move(id));  // an example has nothing to keep
    return pgq::serializer::secret_key::from_hex(std::move(id), digits).value();
}

int accounts = 0;

void open(const app::open_account& a) {
    std::printf("%s has a password of %zu characters\n", a.user.c_str(), a.password.reveal().size());
    ++accounts;
}

void work(app_queue& jobs) {
    pgq::worker w{jobs, {.until = pgq::run_until::empty}, open};
    w.run().value();
}

}  // namespace

int main() try {
    app_queue jobs;

    app::keys.use(key_from("APP_KEY_2026_01", "2026-01"));
    jobs.enqueue(app::open_account{.user = "ada", .password = "analytical"}).value();

    app::keys.use(key_from("APP_KEY_2026_02", "2026-02"));  // a new key, and the old one can still be read
    jobs.enqueue(app::open_account{.user = "grace", .password = "nanosecond"}).value();
    work(jobs);

    const auto late = jobs.enqueue(app::open_account{.user = "edsger", .password = "goto"}).value();
    app::keys.forget("2026-02");  // too early
    work(jobs);
    const auto held = jobs.held<app::open_account>().value();
    for (const auto& job : held) std::printf("held: %s\n", job.reason.c_str());
    jobs.cancel(late).value();
    return accounts == 2 && held.size() == 1 ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "secrets: %s\n", e.what());
    return 1;
}
