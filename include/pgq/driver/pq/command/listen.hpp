#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/statement/query.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace pgq::driver::pq::command {

/// LISTEN statements for the notifications of one session. It must live until the answers were read.
class listen {
public:
    /// The channels that may wake this worker: its own, and the one for all workers. Sessions that cannot search for
    /// sleeping workers notify the latter.
    void add_worker(batch& out, const session_info& info, worker_id id) {
        if (!info.listens || !info.keeps_state) return;
        const std::string all = "pgq_" + std::to_string(info.schema_id);
        add(out, 0, all + "_" + std::to_string(id.value));
        add(out, 1, all);
        out.end_transaction();
    }
    /// The ends of jobs that this session watches. Each server process has a number, and so a channel, of its own.
    void add_ends(batch& out, const session_info& info) {
        if (info.listens_for_ends || !info.keeps_state) return;
        add(out, 0, "pgq_" + std::to_string(info.schema_id) + "_w" + std::to_string(info.backend));
        out.end_transaction();
    }
    /// The changes of schedules. A repeated LISTEN does nothing.
    void add_schedules(batch& out, const session_info& info) {
        if (!info.keeps_state) return;
        add(out, 0, "pgq_" + std::to_string(info.schema_id) + "_s");
        out.end_transaction();
    }

private:
    struct channel {
        std::string text;
        statement::query query;
    };

    // Quoted: oids above 2^31, and the process ids of some poolers, are negative numbers here.
    void add(batch& out, std::size_t i, std::string_view name) {
        channels_[i] = std::make_unique<channel>();  // stays where it is when this moves
        channels_[i]->text = "LISTEN " + statement::quoted(name);
        channels_[i]->query = {"listen", channels_[i]->text, false};
        out.add(channels_[i]->query);
    }

    std::array<std::unique_ptr<channel>, 2> channels_{};
};

}  // namespace pgq::driver::pq::command
