#pragma once

#include <pgq/driver/pq/command/worker_leases.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/liveness.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>

namespace pgq::driver::pq::command {

/// Declares workers dead that have not beaten for their lease time, and gives their jobs to others.
class rescue {
public:
    void compose(batch& out, const session_info& info) const {
        out.add(statement::remove_dead_workers);
        out.add(statement::rescue_leases);
        end_and_notify_noted(out, info);
    }
    result<rescue_reply> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        returned_ = detail::returned_jobs(in[1]);
        return rescue_reply{.workers = std::atoll(PQcmdTuples(in[0].reply.get())),
                            .returned = in[1][0].number<std::int64_t>(0),
                            .held = in[1][0].number<std::int64_t>(1),
                            .held_jobs = detail::held_jobs(in[1])};
    }
    wake_list wakes() const { return returned_; }

private:
    wake_list returned_{};
};

/// Ends jobs that have expired, and removes records that nobody needs any more.
class expire_and_purge {
public:
    static constexpr std::int32_t days_of_failures = 14;
    static constexpr auto hours_of_statistics =
        static_cast<std::int32_t>(std::chrono::duration_cast<std::chrono::hours>(statistics_retention).count());

    void compose(batch& out, const session_info& info) const {
        out.add(statement::expire_and_purge).number(days_of_failures).number(hours_of_statistics);
        end_and_notify_noted(out, info);
    }
    result<purge_reply> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        const row_view row = in[0][0];
        expired_ = row.number<std::int64_t>(0) > 0;
        return purge_reply{.expired = row.number<std::int64_t>(0), .purged = row.number<std::int64_t>(1)};
    }
    wake_list wakes() const { return {.noted = expired_}; }

private:
    bool expired_ = false;
};

}  // namespace pgq::driver::pq::command
