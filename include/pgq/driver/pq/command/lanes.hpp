#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/lane.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/track.hpp>

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace pgq::driver::pq::command {

/// Makes the lanes that are missing and finds all, in the order of the names. Inside of a transaction it makes none: a
/// lane would be gone when that is rolled back, while the queue object still knows it.
class lanes {
public:
    lanes(std::string_view queue, std::span<const lane_name> names) : queue_{queue}, names_{names} {}

    void compose(batch& out, const session_info& info) {
        in_transaction_ = info.in_transaction;
        // Two transactions, so that the second sees the lanes that another session has just made. The lanes are
        // durable: queue objects keep the ids.
        if (!in_transaction_) {
            out.add(statement::make_durable);
            add(out, statement::add_lanes);
        }
        add(out, statement::find_lanes);
    }
    result<std::vector<lane_id>> read(const answers& in) const {
        const std::size_t last = in.size() - 1;
        if (in[last].error) return *in[last].error;
        // Where all lanes exist, a role without the right to make lanes has what it needs.
        auto found = lanes_in(in[last], 0);
        if (found.size() == names_.size()) return found;
        if (auto e = in.first_error()) return *e;
        if (!in_transaction_) return error_info{errc::protocol, "a lane could not be made"};
        return error_info{errc::invalid_option, "a lane of the queue does not exist yet, and a transaction is open",
                          "call lanes() on the queue once before the transaction"};
    }

private:
    void add(batch& out, const statement::query& q) const {
        out.add(q)
            .text(queue_)
            .texts(names_.size(), [&](std::size_t i) { return names_[i].entrypoint; })
            .texts(names_.size(), [&](std::size_t i) { return names_[i].version; });
        out.end_transaction();
    }

    std::string_view queue_;
    std::span<const lane_name> names_;
    bool in_transaction_ = false;
};

/// Sends the dead letters of some lanes to the lanes at the same places in `to`, or holds them again when `to` is
/// empty.
class set_dead_letter_routes {
public:
    set_dead_letter_routes(std::span<const lane_id> from, std::span<const lane_id> to) : from_{from}, to_{to} {}

    void compose(batch& out, const session_info&) const {
        bind_lanes(bind_lanes(out.add(statement::set_dead_letter_routes), from_), to_);
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    std::span<const lane_id> from_, to_;
};

}  // namespace pgq::driver::pq::command
