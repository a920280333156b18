#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/trace/context.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// What a tracer gets to know. The queue, the entrypoint, `given` and the texts of contexts in a `..._begin` live as
/// long as the span. The span of `jobs`, and what is in a `..._end`, is valid during the call only.
namespace pgq::trace {

/// What a call that enqueues does. `create`: it only hands the jobs over (async_enqueue), and its span does not tell
/// how the insert ended.
enum class send_kind : std::uint8_t { send, create };

struct send_begin {
    send_kind what = send_kind::send;
    std::string_view queue{};
    std::string_view entrypoint{};   ///< empty: jobs of several types (a flow)
    const context* given = nullptr;  ///< the caller has given this context in the headers, and the jobs keep it
    bool carried = true;             ///< the jobs get the context of this span
    bool packed = false;             ///< the caller asked for packs; a job that gets a context is in none
};
struct send_end {
    std::size_t count = 0;
    job_id only{};                      ///< the id, if it is one job and the call knows it
    const error_info* error = nullptr;  ///< null: it succeeded
};

struct processed_job {
    job_id id{};
    std::int16_t attempt = 0;
    std::optional<context> created_in{};  ///< of the headers
};
struct process_begin {
    std::string_view queue{};
    std::string_view entrypoint{};
    std::span<const processed_job> jobs{};  ///< at least one
    bool in_batch = false;                  ///< the handler takes batches, maybe of one job
};
struct process_end {
    outcome::kind what = outcome::kind::done;  ///< of a batch: `done`, or the first other one
    std::string_view reason{};
};

}  // namespace pgq::trace
