#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/filter.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/statement/admin/listing.hpp>
#include <pgq/statement/take.hpp>

#include <memory>
#include <utility>
#include <vector>

namespace pgq::driver::pq::command::admin {

/// The ids of jobs that a filter lets pass, in order.
class find {
public:
    /// `found` is replaced when the command succeeds.
    find(const find_request& r, std::vector<job_id>& found) : request_{r}, found_{&found} {}

    result<void> check(const session_info&) const { return which().check(); }
    void compose(batch& out, const session_info&) {
        statement_ = std::make_unique<statement::filtered_query>("find", which(), 4, statement::find_before,
                                                                 statement::find_behind);
        auto& p = bind_lanes(out.add(statement_->get()), request_.lanes);
        statement_->bind_filter(p.text(statement::letters_of(request_.where)).number(request_.limit));
        out.end_transaction();
    }
    result<void> read(const answers& in) const {
        auto ids = rows_of<job_id>(in, in[0], [](row_view row) { return job_id{row.number<std::int64_t>(0)}; });
        if (!ids) return std::move(ids.error());
        *found_ = std::move(*ids);
        return {};
    }

private:
    const filter& which() const noexcept {
        static const filter any{};
        return request_.which != nullptr ? *request_.which : any;
    }
    find_request request_;
    std::vector<job_id>* found_;
    std::unique_ptr<statement::filtered_query> statement_{};  // owns the text until the answer is read
};

}  // namespace pgq::driver::pq::command::admin
