#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/stop_reason.hpp>
#include <pgq/protocol/revision.hpp>
#include <pgq/trace/context.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

namespace pgq::detail {

/// Changes running jobs in the database. Each worker has one. Any thread may call it; a call blocks for a round trip.
class job_reviser {
public:
    virtual ~job_reviser() = default;
    /// The caller sets every member of `r` except `worker`.
    virtual result<void> revise(revision r) = 0;
};

/// Serializes payloads of one job type.
struct payload_writer {
    const std::type_info* type = nullptr;
    result<void> (*write)(const void* job, std::string& out) = nullptr;

    template <class Job>
    bool takes() const noexcept {
        return *type == typeid(Job);
    }
};
template <class Job, class Serializer>
result<void> write_payload(const void* job, std::string& out) {
    return Serializer{}.write(*static_cast<const Job*>(job), out);
}
template <class Job, class Serializer>
inline constexpr payload_writer writer_of{&typeid(Job), &write_payload<Job, Serializer>};

inline error_info written_by_a_former_version() {
    return {errc::invalid_option, "the payload of this job has a former version of its type and cannot be updated",
            "enqueue a job of the current version instead"};
}

/// What the context of a job needs to change that job in the database, and to learn why it should stop. Without a
/// `reviser` every change fails.
struct job_services {
    job_reviser* reviser = nullptr;
    std::int64_t lease = 0;
    const payload_writer* writer = nullptr;
    bool former = false;  ///< the payload has a former version; readers of its lane could not read the current one
    std::optional<std::string>* revised = nullptr;  ///< gets the new payload, for the next try of this attempt

    const void* held = nullptr;  ///< the lease in the worker, and the position of the job in it: for `why`
    std::uint32_t position = 0;
    std::string_view queue{};              ///< the name of the job's queue
    const trace::context* span = nullptr;  ///< of this attempt; null if the queue has no tracer
    pgq::stop_reason (*why)(const void* held, std::uint32_t position) noexcept = nullptr;

    /// Of a job whose token has fired.
    pgq::stop_reason why_stopped() const noexcept {
        return why == nullptr ? pgq::stop_reason::none : why(held, position);
    }

    template <class Job>
    result<void> update(job_id id, const Job& job) const {
        if (reviser == nullptr) return no_worker();
        if (!writer->takes<Job>())
            return error_info{errc::invalid_option, "update() got a payload of another job type",
                              "call update() with the type that the handler takes"};
        if (former) return written_by_a_former_version();
        std::string body;
        if (auto written = writer->write(&job, body); !written) return written;
        auto done = reviser->revise({.lease = lease, .job = id, .body = body});
        if (done && revised != nullptr) *revised = std::move(body);
        return done;
    }
    result<void> progress(job_id id, const std::string& stored) const {
        if (reviser == nullptr) return no_worker();
        return reviser->revise({.lease = lease, .job = id, .progress = stored});
    }

private:
    static error_info no_worker() {
        return {errc::invalid_option, "this context cannot change its job in the database",
                "only a worker gives a context that can; one made by hand, or inside executor::process, cannot"};
    }
};

}  // namespace pgq::detail
