#pragma once

#include <pgq/detail/separate_compilation.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/lane.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pgq {
namespace statement {
struct query;
}
namespace driver::pq {

class connection;
class own_channel;

/// Puts jobs into one lane by COPY: the fastest way for many. All or nothing: they become visible when `finish()`
/// returns, and a stream that is destroyed before keeps none. The session is busy until then. `ids`, when there are
/// any, are the ids of the jobs, in their order.
class copy_stream {
public:
    copy_stream(own_channel& channel, lane_id lane, std::span<const job_id> ids = {});
    copy_stream(const copy_stream&) = delete;
    copy_stream& operator=(const copy_stream&) = delete;
    ~copy_stream();

    result<void> put(std::string_view body, std::int16_t priority = 0, std::optional<std::string_view> key = {});

    /// How many jobs went in.
    result<std::int64_t> finish();

private:
    static constexpr std::size_t flush_at = std::size_t{64} << 10;

    template <class Number>
    void number(Number n);
    result<void> begin();
    result<void> flush();
    result<void> end(const char* why_not);

    // Everything that is answered, `r` first; what went wrong with it.
    result<void> drain(result_ptr r);
    result<void> answer(result_ptr& r);
    result<void> until_sent();
    void wake_somebody();

    own_channel* channel_;
    connection* line_;
    lane_id lane_;
    std::span<const job_id> ids_;
    const statement::query* query_;
    std::string buffer_;
    std::int64_t count_ = 0;
    bool open_ = false;
};

}  // namespace driver::pq
}  // namespace pgq

#ifndef PGQ_SEPARATE_COMPILATION
#include <pgq/driver/pq/session/copy_stream.ipp>
#endif
