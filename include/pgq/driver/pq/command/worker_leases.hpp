#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/subscription.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/admin.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/liveness.hpp>
#include <pgq/statement/wake.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pgq::driver::pq::command {

namespace detail {

inline lease_ref read_ref(row_view row) {
    return {row.number<std::int64_t>(0), statement::wire::load_tid(row.cell(1).data())};
}

/// The row of `leases_of`.
inline lease_update read_lease_update(row_view row) {
    lease_update update{.ref = read_ref(row), .paused = row.flag(4)};
    if (!row.null(2)) update.left = row.cell(2);
    if (row.null(3)) return update;
    statement::wire::array_reader flags{row.cell(3)};
    for (std::size_t j = 0, n = flags.size(); j < n; ++j) {
        const auto one = flags.next();
        update.flags.push_back(one.size() == 2 ? statement::wire::load<std::int16_t>(one.data()) : std::int16_t{0});
    }
    return update;
}

/// The lanes to wake for leases whose jobs went back: the row of a statement like rescue_leases.
inline wake_list returned_jobs(const step& s) {
    return {.lanes = lanes_in(s, 2), .noted = !s[0].null(3) || s[0].number<std::int64_t>(1) > 0};
}

/// The jobs of such leases that are held.
inline std::vector<held_by_rescue> held_jobs(const step& s) {
    const row_view row = s[0];
    std::vector<held_by_rescue> held;
    if (row.null(4) || row.null(5)) return held;
    statement::wire::array_reader ids{row.cell(4)}, reasons{row.cell(5)};
    for (std::size_t i = 0, n = ids.size(); i < n; ++i)
        held.push_back({.id = {ids.next_number<std::int64_t>()}, .reason = std::string{reasons.next()}});
    return held;
}

}  // namespace detail

/// The leases of a worker, as they are now.
class lease_updates {
public:
    explicit lease_updates(worker_id id) : id_{id} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::leases_of).number(id_.value);
        out.end_transaction();
    }
    static result<std::vector<lease_update>> read(const answers& in) {
        return rows_of<lease_update>(in, in[0], detail::read_lease_update);
    }

private:
    worker_id id_;
};

/// Takes a worker over: this session gets its notifications, its former session is ended, and its leases are answered.
class leases_of {
public:
    explicit leases_of(worker_id id) : id_{id}, take_over_{id} {}

    void compose(batch& out, const session_info& info) {
        take_over_.compose(out, info);
        out.add(statement::leases_of).number(id_.value);
        out.end_transaction();
    }
    result<std::vector<lease_update>> read(const answers& in) const {
        if (auto taken = take_over_.read(in); !taken) return std::move(taken.error());
        const step& last = in[in.size() - 1];
        if (last.error) return *last.error;
        return rows_of<lease_update>(last, detail::read_lease_update);
    }

private:
    worker_id id_;
    take_worker_over take_over_;
};

/// Makes the jobs of these leases claimable again; their attempts do not count.
class give_back {
public:
    explicit give_back(std::span<const lease_ref> leases) : leases_{leases} {}

    void compose(batch& out, const session_info& info) const {
        out.add(statement::give_back).int8s(leases_.size(), [&](std::size_t i) { return leases_[i].id; });
        end_and_notify_noted(out, info);
    }
    result<std::vector<held_by_rescue>> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        returned_ = detail::returned_jobs(in[0]);
        return detail::held_jobs(in[0]);
    }
    wake_list wakes() const { return returned_; }

private:
    std::span<const lease_ref> leases_;
    wake_list returned_{};
};

}  // namespace pgq::driver::pq::command
