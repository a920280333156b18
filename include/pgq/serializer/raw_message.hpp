#pragma once

#include <pgq/error/result.hpp>

#include <concepts>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace pgq::serializer {

template <class Job>
concept has_serialize_to_string = requires(const Job& job, std::string* out) {
    { job.SerializeToString(out) } -> std::same_as<bool>;
};
template <class Job>
concept has_append_to_string = requires(const Job& job, std::string* out) {
    { job.AppendToString(out) } -> std::same_as<bool>;
};
template <class Job>
concept has_parse_from_array = requires(Job& job, const void* bytes, int size) {
    { job.ParseFromArray(bytes, size) } -> std::same_as<bool>;
};
template <class Job>
concept has_parse_from_string = requires(Job& job, const std::string& body) {
    { job.ParseFromString(body) } -> std::same_as<bool>;
};

/// A type with `bool SerializeToString(std::string*) const` and `bool ParseFromString(const std::string&)`, for example
/// a class that protoc has generated. If the type has `AppendToString(std::string*)` or `ParseFromArray(const void*,
/// int)`, these are used, because they copy less. Reading must replace the old contents. A result of false is an error.
template <class Job>
concept message = (has_serialize_to_string<Job> || has_append_to_string<Job>)&&(has_parse_from_string<Job> ||
                                                                                has_parse_from_array<Job>);

namespace detail {

inline constexpr auto max_message_bytes = static_cast<std::size_t>(std::numeric_limits<int>::max());

template <message Job>
result<void> write_message(const Job& job, std::string& out) {
    const std::size_t before = out.size();
    bool written = false;
    if constexpr (has_append_to_string<Job>) {
        written = job.AppendToString(&out);
    } else {
        std::string bytes;
        written = job.SerializeToString(&bytes);
        out += bytes;
    }
    if (!written) return error_info{errc::invalid_payload, "the message does not serialize", "set its required fields"};
    if (out.size() - before > max_message_bytes)
        return error_info{errc::payload_too_large, "the message is larger than 2 GiB"};
    return {};
}

template <message Job>
result<void> read_message(std::string_view body, Job& job) {
    bool read = false;
    if (body.size() > max_message_bytes) return error_info{errc::payload_too_large, "the message is larger than 2 GiB"};
    if constexpr (has_parse_from_array<Job>) read = job.ParseFromArray(body.data(), static_cast<int>(body.size()));
    else read = job.ParseFromString(std::string{body});
    if (read) return {};
    return error_info{errc::invalid_payload, "the payload cannot be parsed as a message of the job type",
                      "let the producer write what this job type reads"};
}

}  // namespace detail

}  // namespace pgq::serializer
