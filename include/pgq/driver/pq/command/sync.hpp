#pragma once

#include <pgq/driver/pq/command/read_lease.hpp>
#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/subscription.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/search.hpp>
#include <pgq/statement/settle.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wake.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace pgq::driver::pq::command {

/// Acknowledges and claims in one round trip: see sync_request.
class sync {
public:
    static constexpr bool repeats = false;  // some of its transactions may have been committed

    sync(const sync_request& r, sync_reply& reply) : request_{r}, reply_{&reply}, subscription_{r} {}

    void compose(batch& out, const session_info& info) {
        const auto& r = request_;
        choose_pack_statements(info);
        subscription_.compose(out, info);
        first_ = out.size();
        // This comes first: a transaction that waits for its claim slot has then changed nothing, has no transaction
        // id, and so does not make the snapshots of other sessions longer.
        if (takes_claim_slot()) out.add(statement::take_claim_slot).number(info.schema_id);
        if (!r.finished.empty()) statement::bind_finish(out.add(statement::finish), r.worker, r.finished);
        add_progress(out);
        if (r.begin_alone)
            out.add(statement::begin_alone)
                .number(r.begin_alone->lease)
                .number(r.worker.value)
                .number(static_cast<std::int32_t>(r.begin_alone->index) + 1);
        if (r.promote) statement::bind_position(out.add(statement::promote), info.deferred.position());
        add_unpacks(out);
        if (!r.limited.empty()) statement::bind_claim_limited(out.add(statement::claim_limited), r);
        if (claims()) add_claim(out);
        if (r.peek_next_due) statement::bind_position(out.add(statement::peek_next_due), info.deferred.position());
        if (r.search != nullptr) statement::bind_search(out.add(statement::search_lanes), *r.search);
        if (notes_lanes() && !info.keeps_state) wake::notify_noted(out, info);
        last_ = out.size();
        if (last_ > first_) out.end_transaction();
        add_wakes(out, info);
    }

    result<void> read(const answers& in) {
        clear_reply();
        if (auto subscribed = subscription_.read(in); !subscribed) return subscribed;
        if (auto e = in.first_error(first_, last_)) return *e;
        auto& out = *reply_;
        std::size_t at = first_ + takes_claim_slot();
        if (!request_.finished.empty()) report_lost(in[at++]);
        for (const auto& g : request_.progressed)
            if (!g.last) read_progress(in[at++], g);
        if (!ending_.empty()) read_ends(in[at++]);
        if (request_.begin_alone) read_mark(in[at++]);
        if (request_.promote) read_promoted(in[at++]);
        for (std::size_t i = 0; i < unpacks_; ++i)
            found_packs_ = in[at++][0].number<std::int64_t>(0) > 0 || found_packs_;
        if (!request_.limited.empty()) {
            read_again(in[at]);
            if (auto read = read_leases(in.share(at++), out.leases); !read) return read;
        }
        if (claims()) {
            if (claims_packed_) found_packs_ = saw_packs(in[at]);
            if (request_.claim_filter == nullptr) read_found(in[at]);
            if (auto read = read_leases(in.share(at++), out.leases); !read) return read;
        }
        if (request_.peek_next_due) peeked_ = read_peek(in[at++]);
        if (request_.search != nullptr) read_found_lanes(in[at], request_.search->most, out.found);
        if (peeked_) out.next_due = peeked_->due, out.workers = peeked_->workers;
        return {};
    }

    /// Remembers for the session whether there were packs, and up to where no job is deferred.
    void learn(session_info& info) const noexcept {
        if (peeked_) reply_->next_due = info.deferred.peeked(peeked_->found, peeked_->due, peeked_->workers);
        if (unpacks_ > 0 || claims_packed_) info.expects_packs = found_packs_;
    }

private:
    bool claims() const noexcept { return request_.limit > 0 && !request_.lanes.empty(); }
    bool takes_claim_slot() const noexcept {
        return request_.contended && claims() && request_.claim_filter == nullptr;
    }

    // Sets claims_packed_ and unpacks_first_. If the session expects packs, a claim from one lane takes whole packs.
    // All other claims unpack them first; if there are no packs, that is also cheaper.
    void choose_pack_statements(const session_info& info) noexcept {
        const auto& r = request_;
        claims_packed_ = claims() && info.expects_packs && r.lanes.size() == 1 && !r.lanes[0].lease_per_job &&
                         r.claim_filter == nullptr;
        // Unpacks if the latest claim or unpack found packs, and before each claim that must find every job: from the
        // start of a lane, by filter, and when the worker falls asleep or wakes up.
        unpacks_first_ =
            info.expects_packs || r.subscribe_wakes || r.unsubscribe_wakes || r.claim_filter != nullptr ||
            std::any_of(r.lanes.begin(), r.lanes.end(), [](const claim_lane& l) { return l.cursor == claim_cursor{}; });
    }

    void add_progress(batch& out) {
        for (const auto& g : request_.progressed)
            if (g.last) ending_.push_back(&g);
            else statement::bind_progress(out.add(statement::progress_query(g)), request_.worker, g);
        if (!ending_.empty()) statement::bind_ends(out.add(statement::settle_ends), request_.worker, ending_);
    }
    void add_unpacks(batch& out) {
        const auto& r = request_;
        if (claims() && !claims_packed_ && unpacks_first_) add_unpack(out, r.lanes, r.limit, r.claim_filter, false);
        if (!r.limited.empty()) add_unpack(out, r.limited, r.limited_capacity, nullptr, true);
    }
    template <class Lanes>
    void add_unpack(batch& out, const Lanes& lanes, std::uint32_t jobs, const filter* which, bool of_each) {
        auto& p = out.add(statement::unpack).int4s(lanes.size(), [&](std::size_t i) { return lanes[i].lane.value; });
        statement::bind_unpack(p, jobs, which, of_each);
        ++unpacks_;
    }
    void add_claim(batch& out) {
        if (request_.claim_filter == nullptr) {
            if (claims_packed_) return statement::bind_claim_packed(out.add(statement::claim_packed), request_);
            return statement::bind_claim(out.add(statement::claim_query(request_)), request_);
        }
        filtered_ = std::make_unique<statement::filtered_claim>(request_);
        filtered_->bind(out.add(filtered_->get()));
    }
    void add_wakes(batch& out, const session_info& info) {
        if (notes_lanes() && info.keeps_state) {
            out.await_no_more();
            out.add(statement::wake_collected).number(info.schema_id);
            out.end_transaction();
        }
        if (request_.wake_peer || !request_.lanes_with_capacity.empty())
            wake::wake_one_each(out, info, lanes_to_wake());
    }
    // Whether statements may note lanes to wake: a promotion, and settlements that make jobs ready or deferred.
    bool notes_lanes() const noexcept {
        if (request_.promote) return true;
        for (const auto& g : request_.progressed)
            if (!g.items.empty() || g.flagged) return true;
        return false;
    }
    std::vector<lane_id> lanes_to_wake() const {
        std::vector<lane_id> lanes{request_.lanes_with_capacity.begin(), request_.lanes_with_capacity.end()};
        if (!request_.wake_peer) return lanes;
        for (const auto& c : request_.lanes) lanes.push_back(c.lane);
        for (const auto& c : request_.limited) lanes.push_back(c.lane);
        return lanes;
    }

    void clear_reply() const {
        auto& out = *reply_;
        out.leases.clear();
        out.moved.clear();
        out.begins_alone = out.cut = false;
        out.has_large.reset();
        out.lost.clear();
        out.next_due.reset();
        out.workers = 0;
        out.promoted = 0;
        out.promoted_lanes.clear();
        out.again.reset();
        out.peers_can_claim_limited = false;
        out.found = {};
    }
    static bool saw_packs(const step& s) noexcept { return s.rows() != 0 && s[0].flag(lease_columns + 2); }
    // The columns after those of the lease: whether there are large payloads, and how many rows the claim found.
    void read_found(const step& s) const {
        if (s.rows() == 0) return;
        std::int64_t claimed = 0;
        for (int row = 0; row < s.rows(); ++row)
            claimed += static_cast<std::int64_t>(statement::wire::array_reader{s[row].cell(3)}.size());
        if (!s[0].null(lease_columns)) reply_->has_large = s[0].flag(lease_columns);
        reply_->cut = claimed < s[0].number<std::int32_t>(lease_columns + 1);
    }

    // The column after those of the lease: after how long another claim may get jobs; zero: a peer gets some now.
    void read_again(const step& s) const {
        for (int row = 0; row < s.rows(); ++row) {
            if (s[row].null(lease_columns)) continue;
            const auto wait = s[row].micros(lease_columns);
            if (wait == duration{}) reply_->peers_can_claim_limited = true;
            else reply_->again = reply_->again ? std::min(*reply_->again, wait) : wait;
        }
    }
    void report_lost(const step& s) const {
        std::vector<std::int64_t> ended;
        if (s.rows() != 0) add_promoted(s, 1);
        if (s.rows() != 0 && !s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)};
            for (std::size_t i = 0, n = ids.size(); i < n; ++i) ended.push_back(ids.next_number<std::int64_t>());
        }
        if (ended.size() == request_.finished.size()) return;
        for (const auto& wanted : request_.finished)
            if (std::find(ended.begin(), ended.end(), wanted.id) == ended.end()) reply_->lost.push_back(wanted.id);
    }
    void read_progress(const step& s, const lease_progress& g) const {
        if (s.rows() == 0) return reply_->lost.push_back(g.ref.id);
        if (g.flagged && !g.items.empty()) add_promoted(s, 3);
        reply_->moved.push_back({g.ref.id, statement::wire::load_tid(s[0].cell(1).data())});
    }
    void read_mark(const step& s) const {
        auto& out = *reply_;
        out.begins_alone = s.rows() != 0;
        if (!out.begins_alone) return;
        const auto id = request_.begin_alone->lease;
        std::erase_if(out.moved, [&](const lease_ref& m) { return m.id == id; });
        out.moved.push_back({id, statement::wire::load_tid(s[0].cell(1).data())});
    }
    void read_ends(const step& s) const {
        std::vector<std::int64_t> ended;
        if (!s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)};
            for (std::size_t i = 0, n = ids.size(); i < n; ++i) ended.push_back(ids.next_number<std::int64_t>());
        }
        add_promoted(s, 2);
        for (const lease_progress* g : ending_)
            if (std::find(ended.begin(), ended.end(), g->ref.id) == ended.end()) reply_->lost.push_back(g->ref.id);
    }
    // If other jobs were unblocked before, it is not known where those begin.
    void read_promoted(const step& s) const {
        auto& out = *reply_;
        if (out.promoted == 0) read_promoted_lanes(s, out.promoted_lanes);
        out.promoted += static_cast<std::uint32_t>(s[0].number<std::int64_t>(0));
    }
    void add_promoted(const step& s, int column) const {
        if (!s[0].null(column)) reply_->promoted += static_cast<std::uint32_t>(s[0].number<std::int64_t>(column));
    }

    sync_request request_;
    sync_reply* reply_;
    subscription subscription_;
    std::size_t first_ = 0;
    std::size_t last_ = 0;
    std::size_t unpacks_ = 0;
    bool claims_packed_ = false;
    bool unpacks_first_ = false;
    bool found_packs_ = false;
    std::optional<peek_answer> peeked_{};
    std::vector<const lease_progress*> ending_{};
    std::unique_ptr<const statement::filtered_claim> filtered_{};  // owns the statement's text until the answer is read
};

}  // namespace pgq::driver::pq::command
