#pragma once

#include <pgq/driver/pq/script.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/take.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// Reads the answer of a statement::take_statement.
inline result<void> read_taken(const step& s, std::vector<taken_record>& jobs) {
    for (int i = 0; i < s.rows(); ++i) {
        const row_view row = s[i];
        auto& job = jobs.emplace_back();
        job.id = {row.number<std::int64_t>(0)};
        job.lane = {row.number<std::int32_t>(1)};
        job.rank = {row.number<std::int64_t>(2)};
        job.attempts = row.number<std::int16_t>(3);
        if (!row.null(4)) job.key = std::string{row.cell(4)};
        job.body = row.cell(5);
        if (row.null(6)) continue;
        statement::wire::array_reader flat{row.cell(6)};
        for (std::size_t n = flat.size() / 2; n > 0; --n) {
            auto& h = job.headers.emplace_back();
            h.name = flat.next();
            h.value = flat.next();
        }
        if (!flat.ok()) return error_info{errc::protocol, "the answer of a take cannot be read"};
    }
    std::sort(jobs.begin(), jobs.end(), [](const taken_record& a, const taken_record& b) {
        return std::pair{a.rank, a.id} < std::pair{b.rank, b.id};
    });
    return {};
}

/// Promotes, takes and looks ahead, in the transaction that is open or in one of its own.
class take_verb {
public:
    take_verb(const take_request& r, take_reply& reply, bool in_transaction)
        : request_{&r}, reply_{&reply}, statement_{r}, promotes_{r.promote && !in_transaction} {}

    void compose(script& steps) const {
        if (promotes_) steps.add(statement::promote_planned);
        if (takes()) {
            statement_.bind_unpack(steps.add(statement::unpack_planned));
            statement_.bind(steps.add(statement_.get()));
        }
        if (request_->look_ahead) steps.add(statement::look_ahead_planned);
        if (steps.size() != 0) steps.sync();
    }

    /// True when jobs became claimable, so that somebody has to be woken.
    result<bool> read(script& steps) const {
        reply_->jobs.clear();
        reply_->next_due.reset();
        if (auto e = steps.first_error(0, steps.size())) return *e;
        std::size_t at = 0;
        bool promoted = promotes_ && steps[at++][0].number<std::int64_t>(0) > 0;
        if (takes()) {
            const bool unpacked = steps[at++][0].number<std::int64_t>(0) > 0;
            promoted = promoted || unpacked;
            const step& taken = steps[at++];
            for (int i = 0; i < taken.rows(); ++i) promoted = promoted || !taken[i].null(7);  // what waited for it
            if (auto read = read_taken(taken, reply_->jobs); !read) return read.error();
        }
        if (request_->look_ahead && steps[at].rows() == 1 && !steps[at][0].null(0))
            reply_->next_due = steps[at][0].micros(0);
        return promoted;
    }

private:
    bool takes() const noexcept { return request_->limit > 0 && !request_->lanes.empty(); }

    const take_request* request_;
    take_reply* reply_;
    statement::take_statement statement_;
    bool promotes_;
};

}  // namespace pgq::driver::pq
