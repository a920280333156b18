#pragma once

#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/statement/revise.hpp>

#include <optional>
#include <string>

namespace pgq::driver::pq::command::admin {

/// Changes the payload or the progress of a job that a worker holds; errc::lease_lost when it does not.
class revise {
public:
    explicit revise(const revision& r) : revision_{r} {}

    result<void> check(const session_info& info) const { return check_size(revision_.body, info.max_payload); }
    void compose(batch& out, const session_info&) const {
        if (revision_.body) add(out, statement::revise_body).bytes(*revision_.body);
        if (revision_.progress) add(out, statement::revise_progress).text(*revision_.progress);
        if (!out.empty()) out.end_transaction();
    }
    static result<void> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        if (in.size() != 0 && in[0].rows() == 0) return errc::lease_lost;
        return {};
    }

private:
    statement::params& add(batch& out, const statement::query& q) const {
        auto& p = out.add(q);
        statement::bind_revision(p, revision_);
        return p;
    }

    revision revision_;
};

/// What was reported last as the progress of a job that has not ended and is not held.
class progress_of {
public:
    explicit progress_of(job_id id) : id_{id} {}

    void compose(batch& out, const session_info&) const {
        out.add(statement::progress_of).number(id_.value);
        out.end_transaction();
    }
    static result<std::optional<std::string>> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        if (in[0].rows() == 0) return std::optional<std::string>{};
        return std::optional<std::string>{in[0][0].cell(0)};
    }

private:
    job_id id_;
};

}  // namespace pgq::driver::pq::command::admin
