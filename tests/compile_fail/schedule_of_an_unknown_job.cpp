// expect: pgq: this queue does not have the job type\. Add pgq::job<T>

#include "client_fakes.hpp"

#include <pgq/scheduler.hpp>

struct stranger {
    static constexpr std::string_view entrypoint = "stranger";
};

void schedule(client_fakes::mail_client& jobs) {
    pgq::scheduler schedules{jobs};
    (void)schedules.every("@daily", stranger{});
}
