// A program that writes its own executor, and its own decorator for one handler.

#include "notification_threads.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/executor/decorator.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace app {

struct user_notification {
    static constexpr std::string_view entrypoint = "user_notification";
    std::string kind{};
    std::string message{};
};

/// A decorator: if the text of a failure begins with "permanent", the job is held and not retried.
struct hold_if_permanent : pgq::executor::decorator<> {
    struct attempt {
        explicit attempt(const hold_if_permanent&) {}
        void enter(pgq::try_scope&) {}
        std::optional<pgq::duration> leave(const pgq::try_scope&, pgq::try_result& r, pgq::steady_time) {
            if (r.failed() && r.what.reason().starts_with("permanent")) r = {.what = pgq::hold{r.what.reason()}};
            return std::nullopt;  // no further call of the handler
        }
    };
};

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::user_notification, kind, message);

using notifications = pgq::queue<pgq::job<app::user_notification, app::hold_if_permanent>, pgq::driver::memory,
                                 pgq::serializer::json, app::notification_threads>;

int main() try {
    notifications jobs{{}, {}, app::notification_threads{1}};
    const std::vector<app::user_notification> wanted{
        {"email", "Your order is on its way"}, {"sms", "Code 4711"}, {"pigeon", "Coo"}};
    jobs.enqueue(wanted).value();

    pgq::worker_options until_empty{.until = pgq::run_until::empty};
    pgq::worker w{jobs, until_empty, [](const app::user_notification& n) -> pgq::outcome {
                      if (n.kind == "email") app::notification_threads::here().email(n.message);
                      else if (n.kind == "sms") app::notification_threads::here().sms(n.message);
                      else return pgq::retry_after{{}, "permanent: no way to send by " + n.kind};
                      return pgq::done{};
                  }};
    w.run().value();

    const auto held = jobs.held<app::user_notification>().value();
    for (const auto& h : held) std::printf("held: %s\n", h.reason.c_str());
} catch (const pgq::failure& e) {
    std::fprintf(stderr, "custom_executor: %s\n", e.info().text().c_str());
    return 1;
}
