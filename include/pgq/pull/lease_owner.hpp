#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/sync.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace pgq::detail {

/// The worker of a poller, as its jobs see it: they acknowledge here, and keep it alive. Called from any thread.
class lease_owner {
public:
    /// What an acknowledgement in the caller's transaction needs.
    struct owner_info {
        std::string schema{};
        worker_id worker{};
    };

    virtual ~lease_owner() = default;

    virtual result<void> answer(const lease_ref& lease, const settlement& what) = 0;
    /// Stores another payload for the job.
    virtual result<void> revise(const lease_ref& lease, job_id job, std::string_view body) = 0;
    /// errc::closed or errc::lease_lost if the lease is no longer there.
    virtual result<owner_info> info_of(const lease_ref& lease) = 0;
    /// The caller's transaction ends the lease; its commit is not reported here.
    virtual void answered_elsewhere(const lease_ref& lease) noexcept = 0;
    /// Of jobs that have no number of their own.
    virtual std::int16_t max_attempts() const noexcept = 0;
};

}  // namespace pgq::detail
