#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/protocol/take.hpp>
#include <pgq/statement/take.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq::command {

/// Takes jobs for good: promotes those that are due, takes packs apart, takes the best, and looks ahead. In a
/// transaction that somebody else ends it promotes nothing, so that it locks no more than it takes.
class take {
public:
    take(const take_request& r, take_reply& reply) : request_{r}, reply_{&reply} {}

    result<void> check(const session_info&) const { return request_.where ? request_.where->check() : result<void>{}; }
    void compose(batch& out, const session_info& info) {
        promotes_ = request_.promote && !info.in_transaction;
        peeks_ = request_.peek_next_due || (promotes_ && info.deferred.should_peek());
        if (promotes_) statement::bind_position(out.add(statement::promote_planned), info.deferred.position());
        if (takes()) {
            statement_ = std::make_unique<const statement::take_statement>(request_);
            statement_->bind_unpack(out.add(statement::unpack_planned));
            statement_->bind(out.add(statement_->get()));
        }
        if (peeks_) statement::bind_position(out.add(statement::look_ahead_planned), info.deferred.position());
        if (promotes_ || takes()) end_and_notify_noted(out, info);
        else if (!out.empty()) out.end_transaction();
    }
    result<void> read(const answers& in) {
        reply_->jobs.clear();
        reply_->next_due.reset();
        if (auto e = in.first_error()) return *e;
        std::size_t at = 0;
        if (promotes_) claimable_ = in[at++][0].number<std::int64_t>(0) > 0;
        if (takes()) {
            const bool unpacked = in[at++][0].number<std::int64_t>(0) > 0;
            claimable_ = claimable_ || unpacked;
            if (auto read = read_jobs(in[at++]); !read) return read;
        }
        if (peeks_) peeked_ = read_peek(in[at]);
        if (request_.peek_next_due && peeked_) reply_->next_due = peeked_->due;
        return {};
    }
    /// Remembers for the session up to where no job is deferred.
    void learn(session_info& info) const noexcept {
        if (promotes_) info.deferred.promoted();
        if (!peeked_) return;
        const auto due = info.deferred.peeked(peeked_->found, peeked_->due, peeked_->workers);
        if (request_.peek_next_due) reply_->next_due = due;
    }
    wake_list wakes() const { return {.noted = claimable_}; }

private:
    bool takes() const noexcept { return request_.limit > 0 && !request_.lanes.empty(); }

    result<void> read_jobs(const step& s) {
        for (int i = 0; i < s.rows(); ++i) {
            auto job = read_job(s[i]);
            if (!job) return std::move(job.error());
            reply_->jobs.push_back(std::move(*job));
            claimable_ = claimable_ || !s[i].null(job_columns);  // jobs that waited for this one
        }
        std::sort(reply_->jobs.begin(), reply_->jobs.end(), [](const taken_record& a, const taken_record& b) {
            return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
        });
        return {};
    }

    take_request request_;
    take_reply* reply_;
    std::unique_ptr<const statement::take_statement> statement_{};  // its text is looked at until the answer is there
    std::optional<peek_answer> peeked_{};
    bool promotes_ = false;
    bool peeks_ = false;
    bool claimable_ = false;  // other jobs have become claimable
};

/// Makes a held job of one that was taken.
class hold_taken {
public:
    hold_taken(const taken_record& job, std::string_view reason) : job_{&job}, reason_{reason} {}

    void compose(batch& out, const session_info&) const {
        statement::bind_hold_taken(out.add(statement::hold_taken), *job_, reason_);
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    const taken_record* job_;
    std::string_view reason_;
};

}  // namespace pgq::driver::pq::command
