#pragma once

#include <pgq/error/result.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/id.hpp>

#include <string>
#include <string_view>

namespace pgq::detail {

/// Where polled jobs are answered for; a poller has one, which its jobs keep in memory. Called from any thread.
class lease_owner {
public:
    /// What one needs to answer in a transaction of one's own.
    struct facts {
        std::string schema{};
        worker_id worker{};
    };

    virtual ~lease_owner() = default;

    virtual result<void> answer(const lease_ref& lease, const settlement& what) = 0;
    /// Its job has another payload from now on.
    virtual result<void> revise(const lease_ref& lease, job_id job, std::string_view body) = 0;
    /// errc::closed or errc::lease_lost when there is nothing to be answered any more.
    virtual result<facts> look_up(const lease_ref& lease) = 0;
    /// It was answered in a transaction whose end nobody hears of.
    virtual void answered_elsewhere(const lease_ref& lease) noexcept = 0;
    virtual std::int16_t max_attempts() const noexcept = 0;
};

}  // namespace pgq::detail
