#pragma once

#include <pgq/cli/program.hpp>

#include <pgq/protocol/pause.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/clock.hpp>

#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <string>
#include <vector>

namespace pgq::cli {

/// What is paused or draining in the schema, the widest first.
inline std::vector<paused_scope> read_pauses(program& p) {
    const auto rows = p.read(R"(
        SELECT queue, entrypoint, kind, (extract(epoch FROM since) * 1000000)::int8, reason FROM {s}.paused
         ORDER BY queue, entrypoint, kind)");
    std::vector<paused_scope> all;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto r = rows[i];
        all.push_back({.queue = *r[0],
                       .entrypoint = *r[1],
                       .kind = *r[2] == name_of(pause_kind::draining) ? pause_kind::draining : pause_kind::paused,
                       .since = time_point{std::chrono::microseconds{std::atoll(r[3]->c_str())}},
                       .reason = *r[4]});
    }
    return all;
}

/// For people: `everything`, `queue "mail"`, `entrypoint "send" of queue "mail"`.
inline std::string text_of(const paused_scope& s) {
    if (s.queue.empty()) return "everything";
    const std::string queue = "queue " + statement::quoted(s.queue);
    return s.entrypoint.empty() ? queue : "entrypoint " + statement::quoted(s.entrypoint) + " of " + queue;
}

}  // namespace pgq::cli
