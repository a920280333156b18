#pragma once

#include <pgq/driver/pq/link.hpp>
#include <pgq/driver/pq/read_lease.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/pack.hpp>
#include <pgq/statement/settle.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wake.hpp>
#include <pgq/statement/wire.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace pgq::driver::pq {

/// What a worker has to say and wants, in one round trip: see exchange_request.
class exchange_verb {
public:
    exchange_verb(const exchange_request& r, exchange_reply& reply) : request_{&r}, reply_{&reply} {}

    void compose(script& steps, link& l) {
        const auto& r = *request_;
        link_ = &l;
        if (l.keeps_state() && r.announce_awake) announce(steps, l, statement::announce_awake);
        if (l.keeps_state() && r.announce_sleep) announce(steps, l, statement::announce_sleep);
        first_ = steps.size();
        // First, so that who waits has changed nothing: each transaction that has is in everybody's snapshots.
        if (takes_turn()) steps.add(statement::take_turn).number(l.space());
        if (!r.finished.empty()) statement::bind_finish(steps.add(statement::finish), r.worker, r.finished);
        for (const auto& g : r.progressed)
            if (g.last) ending_.push_back(&g);
            else statement::bind_progress(steps.add(statement::progress_query(g)), r.worker, g);
        if (!ending_.empty()) statement::bind_ends(steps.add(statement::settle_ends), r.worker, ending_);
        if (r.promote) steps.add(statement::promote);
        add_unpacks(steps);
        if (!r.limited.empty()) statement::bind_claim_limited(steps.add(statement::claim_limited), r);
        if (claims()) add_claim(steps);
        if (r.look_ahead) steps.add(statement::look_ahead);
        last_ = steps.size();
        if (last_ > first_) steps.sync();
        if (!l.keeps_state()) return;
        if (r.promote || puts_back()) {
            steps.add(statement::wake_noted).number(l.space());
            steps.sync();
        }
        if (r.pass_on || !r.freed.empty()) add_wake(steps, l, lanes());
    }

    result<void> read(script& steps) {
        auto& out = *reply_;
        out.leases.clear();
        out.moved.clear();
        out.lost.clear();
        out.next_due.reset();
        out.workers = 0;
        out.promoted = 0;
        out.again.reset();
        out.more_limited = false;
        if (auto e = steps.first_error(0, last_)) return *e;
        std::size_t at = first_ + takes_turn();
        if (!request_->finished.empty()) note_lost(steps[at++], request_->finished);
        for (const auto& g : request_->progressed)
            if (!g.last) read_progress(steps[at++], g);
        if (!ending_.empty()) read_ends(steps[at++]);
        if (request_->promote) out.promoted += static_cast<std::uint32_t>(steps[at++][0].number<std::int64_t>(0));
        if (unpacks_ > 0) {
            bool found = false;
            for (std::size_t i = 0; i < unpacks_; ++i) found = steps[at++][0].number<std::int64_t>(0) > 0 || found;
            link_->expect_packs(found);
        }
        if (!request_->limited.empty()) {
            read_again(steps[at]);
            if (auto read = read_leases(steps[at++], out.leases); !read) return read;
        }
        if (claims()) {
            if (packed_) link_->expect_packs(saw_packs(steps[at]));
            if (auto read = read_leases(steps[at++], out.leases); !read) return read;
        }
        if (request_->look_ahead && steps[at].rows() == 1) {
            if (!steps[at][0].null(0)) out.next_due = steps[at][0].micros(0);
            out.workers = steps[at][0].number<std::int64_t>(1);
        }
        return {};
    }

private:
    bool claims() const noexcept { return request_->limit > 0 && !request_->lanes.empty(); }

    // Where the latest look found packs, and in each look that leaves nothing out: from the start of the lanes, or before and after a sleep.
    bool looks_for_packs() const noexcept {
        const auto& r = *request_;
        return link_->expects_packs() || r.announce_sleep || r.announce_awake || r.apart != nullptr ||
               std::any_of(r.lanes.begin(), r.lanes.end(), [](const claim_lane& l) { return l.floor == floor_mark{}; });
    }
    // Claims of one lane take them as they are, where there are some. Others want them apart, and finding none is cheaper so.
    bool claims_packed() const noexcept {
        const auto& lanes = request_->lanes;
        return link_->expects_packs() && lanes.size() == 1 && !lanes[0].each && request_->apart == nullptr;
    }
    void add_unpacks(script& steps) {
        const auto& r = *request_;
        if (claims() && !claims_packed() && looks_for_packs()) add_unpack(steps, r.lanes, r.limit, r.apart, false);
        if (!r.limited.empty()) add_unpack(steps, r.limited, r.limited_room, nullptr, true);
    }
    template <class Lanes>
    void add_unpack(script& steps, const Lanes& lanes, std::uint32_t jobs, const filter* which, bool of_each) {
        auto& p = steps.add(statement::unpack).int4s(lanes.size(), [&](std::size_t i) { return lanes[i].lane.value; });
        statement::bind_unpack(p, jobs, which, of_each);
        ++unpacks_;
    }
    static bool saw_packs(const step& s) noexcept { return s.rows() != 0 && s[0].number<std::uint8_t>(9) != 0; }

    void add_claim(script& steps) {
        if (request_->apart == nullptr) {
            packed_ = claims_packed();
            if (packed_) return statement::bind_claim_of_one(steps.add(statement::claim_packed), *request_);
            return statement::bind_claim(steps.add(statement::claim_query(*request_)), *request_);
        }
        apart_ = std::make_shared<const statement::apart_statement>(*request_);
        apart_->bind(steps.add(apart_->get()));
    }
    void announce(script& steps, const link& l, const statement::query& q) const {
        steps.add(q).number(l.space()).number(request_->worker.value);
        steps.sync();
    }

    bool takes_turn() const noexcept { return request_->crowded && claims() && request_->apart == nullptr; }

    // Whether a colleague has something to do, or to wait for, afterwards.
    bool puts_back() const noexcept {
        for (const auto& g : request_->progressed)
            if (!g.items.empty() || g.flagged) return true;
        return false;
    }

    std::span<const lane_id> lanes() {
        lanes_.assign(request_->freed.begin(), request_->freed.end());
        if (!request_->pass_on) return lanes_;
        for (const auto& c : request_->lanes) lanes_.push_back(c.lane);
        for (const auto& c : request_->limited) lanes_.push_back(c.lane);
        return lanes_;
    }

    void read_again(const step& s) const {
        for (int row = 0; row < s.rows(); ++row) {
            if (s[row].null(9)) continue;
            const auto wait = s[row].micros(9);
            if (wait == duration{}) reply_->more_limited = true;
            else reply_->again = reply_->again ? std::min(*reply_->again, wait) : wait;
        }
    }

    void note_lost(const step& s, std::span<const lease_ref> wanted) const {
        if (s.rows() != 0 && !s[0].null(1))
            reply_->promoted += static_cast<std::uint32_t>(s[0].number<std::int64_t>(1));
        if (static_cast<std::size_t>(s.rows()) == wanted.size()) return;
        for (const auto& w : wanted) {
            bool found = false;
            for (int row = 0; row < s.rows(); ++row) found = found || s[row].number<std::int64_t>(0) == w.id;
            if (!found) reply_->lost.push_back(w.id);
        }
    }

    void read_progress(const step& s, const lease_progress& g) const {
        if (s.rows() == 0) return reply_->lost.push_back(g.ref.id);
        if (g.flagged && !g.items.empty() && !s[0].null(3))
            reply_->promoted += static_cast<std::uint32_t>(s[0].number<std::int64_t>(3));
        reply_->moved.push_back({g.ref.id, statement::wire::load_tid(s[0].cell(1).data())});
    }
    void read_ends(const step& s) const {
        std::vector<std::int64_t> ended;
        if (!s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)};
            for (std::size_t i = 0, n = ids.size(); i < n; ++i) ended.push_back(ids.next_number<std::int64_t>());
        }
        if (!s[0].null(2)) reply_->promoted += static_cast<std::uint32_t>(s[0].number<std::int64_t>(2));
        for (const lease_progress* g : ending_)
            if (std::find(ended.begin(), ended.end(), g->ref.id) == ended.end()) reply_->lost.push_back(g->ref.id);
    }

    const exchange_request* request_;
    exchange_reply* reply_;
    std::size_t first_ = 0;
    std::size_t last_ = 0;
    link* link_ = nullptr;
    std::size_t unpacks_ = 0;
    bool packed_ = false;
    std::vector<lane_id> lanes_;
    std::vector<const lease_progress*> ending_;
    std::shared_ptr<const statement::apart_statement> apart_;  // its text is looked at until the answer is there
};

}  // namespace pgq::driver::pq
