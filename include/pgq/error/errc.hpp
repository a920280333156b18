#pragma once

#include <string>
#include <system_error>

namespace pgq {

/// What this library itself reports. The values are stable; see docs/reference/errors.md.
/// Errors of the server keep their SQLSTATE instead (error/sqlstate.hpp).
enum class errc {
    connection_lost = 1,  ///< the connection broke or could not be made
    bad_conninfo,         ///< the connection string cannot be parsed
    schema_missing,       ///< the database has no tables of ours in that schema
    schema_newer,         ///< the tables were made by a later version
    schema_older,         ///< the tables miss migrations of this version
    schema_changed,       ///< an applied migration is not the one this version knows
    lease_lost,           ///< another worker took the job after its lease ran out
    worker_lost,          ///< the worker was declared dead because it did not beat in time
    payload_too_large,    ///< more bytes than `max_payload`
    invalid_text,         ///< text that the database cannot store: a zero byte or bad UTF-8
    invalid_name,         ///< a queue, entrypoint or schema name that is empty or too long
    invalid_option,       ///< a setting out of its range
    invalid_payload,      ///< a stored payload that cannot be read as its job type
    unknown_member,       ///< a payload names a member that the job type does not have
    missing_member,       ///< a payload lacks a member that the job type needs
    too_deep,             ///< a payload nested deeper than allowed
    timeout,              ///< the deadline passed first
    stopped,              ///< the operation was told to stop
    protocol,             ///< the server answered something this version cannot read
    duplicate_key,        ///< another job has the unique key
    job_not_done,         ///< the job has ended in another way than done
    lane_full,            ///< the lane has as many jobs as it may have
    already_settled,      ///< somebody has said before what becomes of this job
    closed,               ///< what the job came from is closed, and the job given back
};

namespace detail {

inline const char* errc_text(errc e) noexcept {
    switch (e) {
    case errc::connection_lost: return "the connection to the database was lost or could not be made";
    case errc::bad_conninfo: return "the connection string cannot be parsed";
    case errc::schema_missing: return "the database has no pgq tables in this schema; install them first";
    case errc::schema_newer: return "the pgq tables were made by a newer version; update this program";
    case errc::schema_older: return "the pgq tables are older than this program; run the migrations";
    case errc::schema_changed: return "an applied migration differs from the one this version was built with";
    case errc::lease_lost: return "another worker took the job after its lease ran out";
    case errc::worker_lost: return "the worker was declared dead because its heartbeat came too late";
    case errc::payload_too_large: return "the payload is larger than max_payload";
    case errc::invalid_text: return "text holds a zero byte or bytes that are not UTF-8";
    case errc::invalid_name: return "a name is empty or too long";
    case errc::invalid_option: return "a setting is out of range";
    case errc::invalid_payload: return "the payload cannot be read as its job type";
    case errc::unknown_member: return "the payload has a member that the job type does not know";
    case errc::missing_member: return "the payload lacks a member that the job type needs";
    case errc::too_deep: return "the payload is nested too deeply";
    case errc::timeout: return "the deadline passed first";
    case errc::stopped: return "the operation was told to stop";
    case errc::protocol: return "the server sent an answer that cannot be read";
    case errc::duplicate_key: return "another job has the unique key";
    case errc::lane_full: return "the lane has as many jobs as it may have";
    case errc::job_not_done: return "the job has ended without being done";
    case errc::already_settled: return "what becomes of this job was said before";
    case errc::closed: return "the poller of this job is closed, and the job was given back";
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
