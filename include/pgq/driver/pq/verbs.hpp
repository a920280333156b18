#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/driver/pq/link.hpp>
#include <pgq/driver/pq/read_lease.hpp>
#include <pgq/job/enqueue.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/unique.hpp>
#include <pgq/statement/claim.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/finish.hpp>
#include <pgq/statement/settle.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/track.hpp>
#include <pgq/statement/wake.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The verbs of a session without their I/O: each composes a script and, when it was answered, reads it. The blocking and the
/// Asio driver run the same ones.
namespace pgq::driver::pq {

/// Wakes one sleeper of these lanes, in a transaction of its own behind what was committed before. A failure of it fails
/// nothing: sleepers look for themselves now and then.
inline void add_wake(script& steps, const link& l, std::span<const lane_id> lanes) {
    auto& p = steps.add(statement::wake);
    p.number(l.space()).int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; });
    steps.sync();
}

inline result<void> check_size(std::optional<std::string_view> payload, std::size_t max_payload) {
    if (!payload || payload->size() <= max_payload) return {};
    return error_info{
        errc::payload_too_large,
        "the payload has " + std::to_string(payload->size()) + " bytes, max_payload is " + std::to_string(max_payload),
        "store it elsewhere and keep its address, or raise max_payload"};
}

/// Says what is wrong with a request before anything is sent.
inline result<void> check_enqueue(const enqueue_request& r, std::size_t max_payload) {
    for (std::size_t i = 0; i < r.bodies->size(); ++i) {
        if ((*r.bodies)[i].size() > max_payload)
            return error_info{errc::payload_too_large,
                              "payload " + std::to_string(i) + " has " + std::to_string((*r.bodies)[i].size()) +
                                  " bytes, max_payload is " + std::to_string(max_payload),
                              "store it elsewhere and enqueue its address, or raise max_payload"};
    }
    for (const auto& o : r.options) {
        if (auto fine = check_headers(o.headers); !fine) return fine;
        if (auto fine = check_unique(o.unique_key); !fine) return fine;
    }
    return {};
}

class enqueue_verb {
public:
    enqueue_verb(const enqueue_request& r, std::vector<job_id>& ids) : request_{&r}, ids_{&ids} {}

    void compose(script& steps, const link& l) const {
        statement::bind_enqueue(steps.add(statement::enqueue_query(*request_)), *request_);
        steps.sync();
        add_wake(steps, l, {&request_->lane, 1});
    }

    result<void> read(script& steps) const { return read_ids(steps[0], request_->bodies->size(), *ids_); }

    static result<void> read_ids(const step& s, std::size_t n, std::vector<job_id>& ids) {
        if (s.error) return *s.error;
        ids.clear();
        if (s.query == &statement::enqueue_one) {
            ids.push_back({s[0].number<std::int64_t>(0)});
            return {};
        }
        if (s.rows() == 1) {
            statement::wire::array_reader all{s[0].cell(0)};
            for (std::size_t i = 0, size = all.size(); i < size; ++i) ids.push_back({all.next_number<std::int64_t>()});
            // Ids are drawn in input order; the answer may come in another.
            if (s.query != &statement::enqueue_tracked) std::sort(ids.begin(), ids.end());
        }
        if (ids.size() != n) return error_info{errc::protocol, "an enqueue answered with the wrong number of ids"};
        return {};
    }

private:
    const enqueue_request* request_;
    std::vector<job_id>* ids_;
};

struct lanes_request {
    std::string_view queue{};
    std::span<const lane_name> names{};
};

/// Makes the lanes that are missing and finds all, in the order of the names.
class lanes_verb {
public:
    lanes_verb(const lanes_request& r, std::vector<lane_id>& found) : request_{&r}, found_{&found} {}

    void compose(script& steps, const link&) const {
        for (const auto* q : {&statement::add_lanes, &statement::find_lanes}) {
            const std::size_t n = request_->names.size();
            steps.add(*q)
                .text(request_->queue)
                .texts(n, [&](std::size_t i) { return request_->names[i].entrypoint; })
                .texts(n, [&](std::size_t i) { return request_->names[i].version; });
            steps.sync();
        }
    }

    result<void> read(script& steps) const {
        found_->clear();
        if (auto e = steps.first_error(0, steps.size())) return *e;
        if (steps[1].rows() == 1) {
            statement::wire::array_reader ids{steps[1][0].cell(0)};
            for (std::size_t i = 0, n = ids.size(); i < n; ++i) found_->push_back({ids.next_number<std::int32_t>()});
        }
        if (found_->size() != request_->names.size()) return error_info{errc::protocol, "a lane could not be made"};
        return {};
    }

private:
    const lanes_request* request_;
    std::vector<lane_id>* found_;
};

/// A row of statement::find_limits.
inline lane_limit read_limit(row_view row) {
    return {.entrypoint = std::string{row.cell(0)},
            .limit = {.kind = static_cast<limit_kind>(row.cell(1).empty() ? 'c' : row.cell(1)[0]),
                      .number = row.number<std::int16_t>(2),
                      .amount = row.number<std::int32_t>(3),
                      .per = std::chrono::microseconds{row.number<std::int64_t>(4)},
                      .burst = row.number<std::int32_t>(5)}};
}

class enqueue_tracked_verb {
public:
    enqueue_tracked_verb(const tracked_request& r, std::vector<enqueued_job>& jobs) : request_{&r}, jobs_{&jobs} {}

    void compose(script& steps, const link& l) const {
        statement::bind_enqueue_tracked(steps.add(statement::enqueue_tracked), *request_);
        steps.sync();
        add_wake(steps, l, request_->lanes);
    }
    result<void> read(script& steps) const { return read_jobs(steps[0], request_->bodies->size(), *jobs_); }

    static result<void> read_jobs(const step& s, std::size_t n, std::vector<enqueued_job>& jobs) {
        if (s.error) return *s.error;
        jobs.clear();
        if (s.rows() == 1 && !s[0].null(0)) {
            statement::wire::array_reader ids{s[0].cell(0)}, fresh{s[0].cell(1)};
            for (std::size_t i = 0, size = ids.size(); i < size; ++i)
                jobs.push_back({{ids.next_number<std::int64_t>()}, fresh.next() != std::string_view{"\0", 1}});
        }
        if (jobs.size() != n) return error_info{errc::protocol, "an enqueue answered with the wrong number of ids"};
        return {};
    }

private:
    const tracked_request* request_;
    std::vector<enqueued_job>* jobs_;
};

/// What the ends of jobs came to: rows of statement::watch.
inline void read_ends(const step& s, std::vector<ended_job>& ended) {
    ended.clear();
    for (int i = 0; i < s.rows(); ++i) {
        const row_view row = s[i];
        ended.push_back({.id = {row.number<std::int64_t>(0)},
                         .kind = static_cast<end_kind>(row.cell(1).empty() ? '?' : row.cell(1)[0]),
                         .attempts = row.number<std::int16_t>(2),
                         .reason = std::string{row.cell(3)},
                         .has_result = !row.null(4),
                         .result = std::string{row.cell(4)}});
    }
}

class exchange_verb {
public:
    exchange_verb(const exchange_request& r, exchange_reply& reply) : request_{&r}, reply_{&reply} {}

    void compose(script& steps, const link& l) {
        const auto& r = *request_;
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
        if (!r.limited.empty()) statement::bind_claim_limited(steps.add(statement::claim_limited), r);
        if (r.limit > 0 && !r.lanes.empty()) add_claim(steps);
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
        if (!request_->limited.empty()) {
            read_again(steps[at]);
            if (auto read = read_leases(steps[at++], out.leases); !read) return read;
        }
        if (request_->limit > 0 && !request_->lanes.empty())
            if (auto read = read_leases(steps[at++], out.leases); !read) return read;
        if (request_->look_ahead && steps[at].rows() == 1) {
            if (!steps[at][0].null(0)) out.next_due = as_duration(steps[at][0].number<std::int64_t>(0));
            out.workers = steps[at][0].number<std::int64_t>(1);
        }
        return {};
    }

private:
    void add_claim(script& steps) {
        if (request_->apart == nullptr)
            return statement::bind_claim(steps.add(statement::claim_query(*request_)), *request_);
        apart_ = std::make_shared<const statement::apart_statement>(*request_);
        apart_->bind(steps.add(apart_->get()));
    }
    void announce(script& steps, const link& l, const statement::query& q) const {
        steps.add(q).number(l.space()).number(request_->worker.value);
        steps.sync();
    }

    bool takes_turn() const noexcept {
        return request_->crowded && request_->limit > 0 && !request_->lanes.empty() && request_->apart == nullptr;
    }

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
            const auto wait = as_duration(s[row].number<std::int64_t>(9));
            if (wait == duration{}) reply_->more_limited = true;
            else reply_->again = reply_->again ? std::min(*reply_->again, wait) : wait;
        }
    }

    // The end of the calendar is more nanoseconds away than a duration holds.
    static duration as_duration(std::int64_t micros) noexcept {
        constexpr std::int64_t most = duration::max().count() / 1000;
        return std::chrono::microseconds{std::clamp(micros, -most, most)};
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
    std::vector<lane_id> lanes_;
    std::vector<const lease_progress*> ending_;
    std::shared_ptr<const statement::apart_statement> apart_;  // its text is looked at until the answer is there
};

}  // namespace pgq::driver::pq
