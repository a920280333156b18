#pragma once

#include <pgq/cli/output/table.hpp>

#include <pgq/admin/overview.hpp>
#include <pgq/protocol/statistics.hpp>

#include <cstdint>
#include <string>

namespace pgq::cli::top {

/// Rows for a pipe: how many jobs of each entrypoint are in each state, and how many have ended in the time of the
/// statistics and how. Counts of zero are left out.
inline table plain_rows(const overview& o) {
    table t{{{"at", kind::time}, {"count", kind::count}, {"queue"}, {"entrypoint"}, {"status"}}};
    for (const auto& e : o.entrypoints) {
        const auto add = [&](const capped_count& n, const char* status) {
            if (n.value > 0) t.add({o.at, n, e.queue, e.entrypoint, std::string{status}});
        };
        add(e.counts.ready, "ready");
        add(e.counts.deferred, "deferred");
        add(e.counts.blocked, "blocked");
        add(e.counts.leased, "running");
        add(e.counts.held, "held");
        const auto ended = [&](std::int64_t n, const char* status) { add({n, false}, status); };
        ended(e.last.done, "done");
        ended(e.last.retried, "retried");
        ended(e.last.held, "failed");
        ended(e.last.discarded, "discarded");
        ended(e.last.cancelled, "cancelled");
        ended(e.last.expired, "expired");
    }
    return t;
}

}  // namespace pgq::cli::top
