#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/statement/query.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

namespace pgq::driver::pq::command {

/// LISTEN statements for the notifications of one session. It must live until the answers were read.
class listen {
public:
    /// Everything that may wake this worker: its own channel, and the one of those who cannot look for sleepers.
    void add_worker(batch& out, const session_info& info, worker_id id) {
        if (!info.listens || !info.keeps_state) return;
        const std::string all = "LISTEN pgq_" + std::to_string(info.schema_id);
        add(out, 0, all + "_" + std::to_string(id.value));
        add(out, 1, all);
        out.end_transaction();
    }
    /// The ends of jobs that this session watches. Each server process has a number, and so a channel, of its own.
    void add_ends(batch& out, const session_info& info) {
        if (info.listens_for_ends || !info.keeps_state) return;
        add(out, 0, "LISTEN pgq_" + std::to_string(info.schema_id) + "_w" + std::to_string(info.backend));
        out.end_transaction();
    }

private:
    struct channel {
        std::string text;
        statement::query query;
    };

    void add(batch& out, std::size_t i, std::string text) {
        channels_[i] = std::make_unique<channel>();  // stays where it is when this moves
        channels_[i]->text = std::move(text);
        channels_[i]->query = {"listen", channels_[i]->text, false};
        out.add(channels_[i]->query);
    }

    std::array<std::unique_ptr<channel>, 2> channels_{};
};

}  // namespace pgq::driver::pq::command
