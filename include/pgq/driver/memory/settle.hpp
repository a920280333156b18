#pragma once

#include <pgq/driver/memory/job.hpp>
#include <pgq/driver/memory/job_store.hpp>
#include <pgq/driver/memory/lease_table.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pgq::driver::in_memory {

/// What workers say of the jobs in their leases.
class settling {
public:
    settling(stock& waiting, lease_book& leases) : stock_{&waiting}, leases_{&leases} {}

    /// What can be wrong with what is said of leases, before any of it happens.
    result<void> check(const exchange_request& r) const {
        for (const auto& p : r.progressed) {
            const lease* l = leases_->find(p.ref.id, r.worker);
            if (!l) continue;  // reported as lost
            for (const auto& item : p.items)
                if (item.index >= l->jobs->size())
                    return error_info{errc::invalid_option, "a settlement names a job that its lease does not have"};
            if (p.last && !leaves_nothing(*l, p))
                return error_info{errc::invalid_option, "a lease cannot end while jobs are in it"};
        }
        return {};
    }

    /// All that is left in a lease is done.
    void finish(const lease_ref& ref, worker_id worker, time_point now, exchange_reply& reply,
                std::vector<job_array>& dropped, std::vector<lane_id>& touched) {
        const lease* l = leases_->find(ref.id, worker);
        if (!l) return reply.lost.push_back(ref.id);
        finish_flagged(*l, now, touched, [](std::size_t) { return true; });
        dropped.push_back(leases_->close(ref.id).jobs);
    }

    void progress(const lease_progress& p, worker_id worker, time_point now, exchange_reply& reply,
                  std::vector<job_array>& dropped, std::vector<lane_id>& touched) {
        lease* l = leases_->find(p.ref.id, worker);
        if (!l) return reply.lost.push_back(p.ref.id);
        for (const auto& item : p.items) {
            if (l->has_left(item.index)) continue;  // said before
            l->leave(std::size_t{item.index});
            stock_->settle(l->at(item.index), item, now, touched);
        }
        const lease leaving{.left = std::string{p.mask}};
        finish_flagged(*l, now, touched, [&](std::size_t i) { return leaving.has_left(i); });
        l->leave(p.mask);
        if (!p.last) return reply.moved.push_back({.id = p.ref.id});
        dropped.push_back(leases_->close(p.ref.id).jobs);
    }

private:
    // Jobs that are done without a word, though somebody wants to know: their worker could not know that.
    template <class Predicate>
    void finish_flagged(const lease& l, time_point now, std::vector<lane_id>& touched, Predicate leaves) {
        if (l.flags.empty()) return;
        l.for_each_unfinished([&](std::size_t i) {
            if (leaves(i)) stock_->end(l.at(i), end_kind::done, now, touched);
        });
    }
    static bool leaves_nothing(const lease& l, const lease_progress& p) {
        lease after{.jobs = l.jobs, .left = l.left};
        after.leave(p.mask);
        for (const auto& item : p.items) after.leave(std::size_t{item.index});
        bool nothing = true;
        after.for_each_unfinished([&](std::size_t) { nothing = false; });
        return nothing;
    }

    stock* stock_;
    lease_book* leases_;
};

}  // namespace pgq::driver::in_memory
