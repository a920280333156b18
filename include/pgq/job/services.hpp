#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/revision.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <typeinfo>
#include <utility>

namespace pgq::detail {

/// Where what is stored of running jobs is changed; a worker has one. Called from any thread, and blocks.
class job_desk {
public:
    virtual ~job_desk() = default;
    /// All of it is said but the worker.
    virtual result<void> revise(revision r) = 0;
};

/// How payloads of one job type are written.
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
    return {errc::invalid_option,
            "the payload of this job was written by a former version of its type, and stays as it is",
            "enqueue a job of the present version instead"};
}

/// What the context of a job needs to change what is stored of that. Without a desk nothing is.
struct job_services {
    job_desk* desk = nullptr;
    std::int64_t lease = 0;
    const payload_writer* writer = nullptr;
    bool former = false;  ///< the payload is of a former version of the type: in its lane nobody could read a new one
    std::optional<std::string>* revised = nullptr;  ///< for the next try of this attempt

    template <class Job>
    result<void> update(job_id id, const Job& job) const {
        if (desk == nullptr) return nobody_there();
        if (!writer->takes<Job>())
            return error_info{errc::invalid_option, "a job cannot become one of another type",
                              "give update() what the handler was called with, changed"};
        if (former) return written_by_a_former_version();
        std::string body;
        if (auto written = writer->write(&job, body); !written) return written;
        auto done = desk->revise({.lease = lease, .job = id, .body = body});
        if (done && revised != nullptr) *revised = std::move(body);
        return done;
    }
    result<void> progress(job_id id, const std::string& stored) const {
        if (desk == nullptr) return nobody_there();
        return desk->revise({.lease = lease, .job = id, .progress = stored});
    }

private:
    static error_info nobody_there() {
        return {errc::invalid_option, "what is stored of this job cannot be changed through this context",
                "contexts made by hand, and those inside of executor::process, have no worker behind them"};
    }
};

}  // namespace pgq::detail
