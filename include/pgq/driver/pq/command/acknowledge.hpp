#pragma once

#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/settle.hpp>
#include <pgq/statement/take.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

/// Ending a lease of one job by its handler's own session or transaction.
namespace pgq::driver::pq::command {

namespace detail {

inline void add_end(batch& out, worker_id worker, const lease_ref& lease, const settlement& done) {
    statement::bind_progress(out.add(statement::settle_held), worker,
                             {.ref = lease, .last = true, .mask = "\1", .items = {&done, 1}, .flagged = true});
}

}  // namespace detail

/// Ends the lease and commits the open transaction, in one round trip. False when the lease is gone: the transaction
/// has failed then, and is to be rolled back.
class commit_acknowledging {
public:
    static constexpr bool repeats = false;

    commit_acknowledging(worker_id worker, const lease_ref& lease, std::optional<std::string_view> written)
        : worker_{worker}, lease_{lease}, written_{written} {}

    void compose(batch& out, const session_info& info) {
        out.add(statement::hold_lease).tid(lease_.location).number(lease_.id).number(worker_.value);
        detail::add_end(out, worker_, lease_, {.kind = settle_kind::done, .result = written_});
        if (!info.keeps_state) wake::notify_noted(out, info);
        out.add(statement::commit);
        out.end_transaction();
        ends_ = 0;
        if (!info.keeps_state) return;
        ends_ = 1;
        out.add(statement::wake_collected).number(info.schema_id);  // jobs that waited for this one
        out.end_transaction();
    }
    result<bool> read(const answers& in) const {
        const auto failed = in.first_error(0, in.size() - ends_);
        if (!failed) return true;
        const bool lease_lost = in[0].error && in[0].error->code == make_sqlstate("22012");
        if (lease_lost) return false;
        return *failed;
    }

private:
    worker_id worker_;
    lease_ref lease_;
    std::optional<std::string_view> written_;
    std::size_t ends_ = 0;  // statements behind the commit
};

/// Ends the lease by itself, durably. False when it is gone.
class acknowledge {
public:
    acknowledge(worker_id worker, const lease_ref& lease) : worker_{worker}, lease_{lease} {}

    void compose(batch& out, const session_info& info) const {
        out.add(statement::make_durable);
        detail::add_end(out, worker_, lease_, {.kind = settle_kind::done});
        end_and_notify_noted(out, info);
    }
    result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        ended_ = in[1].rows() == 1;
        return ended_;
    }
    wake_list wakes() const { return {.noted = ended_}; }

private:
    worker_id worker_;
    lease_ref lease_;
    bool ended_ = false;
};

/// Ends the lease in a transaction that somebody else commits. errc::lease_lost: the lease is gone, and the transaction
/// cannot be committed.
class finish_inside {
public:
    static constexpr bool repeats = false;

    finish_inside(worker_id worker, const lease_ref& lease) : worker_{worker}, lease_{lease} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::finish_inside).number(lease_.id).number(worker_.value);
        out.end_transaction();
    }
    static result<void> read(const answers& in) {
        const auto failed = in.first_error();
        if (!failed) return {};
        if (failed->code != make_sqlstate("22P02")) return *failed;
        return error_info{errc::lease_lost, {}, "roll the transaction back: it cannot be committed any more"};
    }

private:
    worker_id worker_;
    lease_ref lease_;
};

/// Whether the lease is there. It waits for a session that is about to end it.
class owns_lease {
public:
    owns_lease(worker_id worker, const lease_ref& lease) : worker_{worker}, lease_{lease} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::owns_lease).tid(lease_.location).number(lease_.id).number(worker_.value);
        out.end_transaction();
    }
    static result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        return in[0].rows() == 1;
    }

private:
    worker_id worker_;
    lease_ref lease_;
};

}  // namespace pgq::driver::pq::command
