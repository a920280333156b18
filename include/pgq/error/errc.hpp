#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <string>
#include <system_error>

namespace pgq {

/// What this library itself reports. The values are stable; see docs/reference/errors.md.
/// Errors of the server keep their SQLSTATE instead (error/sqlstate.hpp).
enum class errc {
    connection_lost = 1,  ///< the connection broke or could not be opened
    bad_conninfo,         ///< the connection string cannot be parsed
    schema_missing,       ///< the schema has no pgq tables
    schema_newer,         ///< a later version of pgq made the tables
    schema_older,         ///< the tables lack migrations of this version
    schema_changed,       ///< an applied migration differs from the one of this version
    lease_lost,           ///< another worker took the job after its lease expired
    worker_lost,          ///< the worker was declared dead because its heartbeat was late
    payload_too_large,    ///< the payload has more bytes than `max_payload`
    invalid_text,         ///< a text that the database cannot store: it has a zero byte or invalid UTF-8
    invalid_name,         ///< a queue, entrypoint or schema name that is empty or too long
    invalid_option,       ///< a setting is out of its range
    invalid_payload,      ///< a stored payload that cannot be read as its job type
    unknown_member,       ///< the payload has a member that the job type does not have
    missing_member,       ///< the payload lacks a member that the job type requires
    too_deep,             ///< the payload is nested deeper than the serializer allows
    timeout,              ///< the deadline passed before the operation completed
    stopped,              ///< the operation was asked to stop
    protocol,             ///< the server sent an answer that this version cannot read
    duplicate_key,        ///< another job has the unique key
    job_not_done,         ///< the job ended, but not as done
    lane_full,            ///< the lane has reached its maximum number of jobs
    already_settled,      ///< the outcome of this job was already set
    closed,               ///< the poller or queue object is closed; a polled job was given back
    invalid_cron,         ///< a cron expression is wrong, or a date of it never comes
    unfit_database,       ///< something about the database keeps workers from all jobs
    draining,             ///< the entrypoint, its queue or everything takes no new jobs at present
};

namespace detail {

inline const char* errc_text(errc e) noexcept {
    switch (e) {
    case errc::connection_lost: return "the connection to the database broke or could not be opened";
    case errc::bad_conninfo: return "the connection string cannot be parsed";
    case errc::schema_missing: return "the database has no pgq tables in this schema; install them first";
    case errc::schema_newer: return "a newer version of pgq made the tables; update this program";
    case errc::schema_older: return "the pgq tables are older than this program; run the migrations";
    case errc::schema_changed: return "an applied migration differs from the one of this version";
    case errc::lease_lost: return "another worker took the job after its lease expired";
    case errc::worker_lost: return "the worker was declared dead because its heartbeat was late";
    case errc::payload_too_large: return "the payload is larger than max_payload";
    case errc::invalid_text: return "a text has a zero byte or invalid UTF-8";
    case errc::invalid_name: return "a name is empty or too long";
    case errc::invalid_option: return "a setting is out of range";
    case errc::invalid_payload: return "the payload cannot be read as its job type";
    case errc::unknown_member: return "the payload has a member that the job type does not have";
    case errc::missing_member: return "the payload lacks a member that the job type requires";
    case errc::too_deep: return "the payload is nested too deeply";
    case errc::timeout: return "the deadline passed before the operation completed";
    case errc::stopped: return "the operation was asked to stop";
    case errc::protocol: return "the server sent an answer that this version cannot read";
    case errc::duplicate_key: return "another job has the unique key";
    case errc::lane_full: return "the lane has reached its maximum number of jobs";
    case errc::job_not_done: return "the job ended, but not as done";
    case errc::already_settled: return "the outcome of this job was already set";
    case errc::closed: return "the poller or queue object is closed; a polled job was given back";
    case errc::draining: return "the queue takes no new jobs at present: it is draining";
    case errc::invalid_cron: return "the cron expression is wrong, or its date never comes";
    case errc::unfit_database: return "something about the database keeps workers from all jobs";
    }
    return "unknown pgq error";
}

class errc_category final : public std::error_category {
public:
    const char* name() const noexcept override { return "pgq"; }
    std::string message(int value) const override { return errc_text(static_cast<errc>(value)); }
};

}  // namespace detail

/// The category of `errc`.
inline const std::error_category& category() noexcept {
    static const detail::errc_category instance;
    return instance;
}

inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), category()}; }

}  // namespace pgq

template <>
struct std::is_error_code_enum<pgq::errc> : std::true_type {};
