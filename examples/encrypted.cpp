// run:
// Encrypts payloads so that only the programs with the key can read them, compresses long ones, and replaces the key.

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

// The program fills it at start, for example from the environment or a secret store.
pgq::serializer::key_ring keys;

using encrypted_json =
    pgq::serializer::encrypted<pgq::serializer::compressed<pgq::serializer::json>, pgq::serializer::keys_of<app::keys>>;

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::open_account, user, password);

using app_queue =
    pgq::queue<pgq::job<app::open_account>, pgq::driver::memory, app::encrypted_json, pgq::executor::in_place>;

namespace {

pgq::serializer::secret_key key_from(const char* variable, std::string id) {
    const char* const digits = std::getenv(variable);  // 64 hex digits: openssl rand -hex 32
    if (digits == nullptr) return pgq::serializer::secret_key::random(std::move(id));  // enough for an example
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

    app::keys.use(key_from("APP_KEY_2026_02", "2026-02"));  // the old key still decrypts
    jobs.enqueue(app::open_account{.user = "grace", .password = "nanosecond"}).value();
    work(jobs);

    const auto late = jobs.enqueue(app::open_account{.user = "edsger", .password = "goto"}).value();
    app::keys.forget("2026-02");  // too early: a job still needs it
    work(jobs);
    const auto held = jobs.held<app::open_account>().value();
    for (const auto& job : held) std::printf("held: %s\n", job.reason.c_str());
    jobs.cancel(late).value();
    return accounts == 2 && held.size() == 1 ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "encrypted: %s\n", e.what());
    return 1;
}
