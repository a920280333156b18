#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/members.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace pgq::serializer {

template <class Job>
concept has_from_bytes = requires(std::string_view body) {
    { Job::from_bytes(body) } -> std::same_as<Job>;
}
|| requires(std::string_view body) {
    { Job::from_bytes(body) } -> std::same_as<result<Job>>;
};

template <class Job>
concept has_to_bytes = requires(const Job& job, std::string& out) {
    { job.to_bytes(out) } -> std::same_as<void>;
}
|| requires(const Job& job, std::string& out) {
    { job.to_bytes(out) } -> std::same_as<result<void>>;
};

namespace detail {

template <class Members>
inline constexpr bool is_one_blob = false;
template <class Member>
inline constexpr bool is_one_blob<pgq::detail::type_list<Member>> =
    std::same_as<typename Member::type, std::string> || std::same_as<typename Member::type, std::vector<std::byte>>;

template <class Job>
concept blob = adapted<Job> && is_one_blob<members_of<Job>>;

}  // namespace detail

/// Payloads that are their own bytes, nothing added. Two kinds of job types:
///
/// - one adapted member, a `std::string` or a `std::vector<std::byte>`, which is the payload;
/// - `static Job from_bytes(std::string_view)` (or `result<Job>`) and `void to_bytes(std::string&) const` (or
///   `result<void>`), which appends. These come first when a type has both.
///
/// Running out of memory throws; another exception of those functions becomes `errc::invalid_payload`.
class raw {
public:
    using policy_category = serializer_tag;

    static constexpr bool by_members = false;
    template <class Job>
    static constexpr bool supports_job = (has_from_bytes<Job> && has_to_bytes<Job>) || detail::blob<Job>;

    template <class Job>
        requires supports_job<Job> result<void> write(const Job& job, std::string& out)
    const {
        if constexpr (has_to_bytes<Job>) {
            return guarded("to_bytes", [&]() -> result<void> {
                if constexpr (std::is_void_v<decltype(job.to_bytes(out))>) return job.to_bytes(out), result<void>{};
                else return job.to_bytes(out);
            });
        } else {
            const auto bytes = std::as_bytes(std::span{member<Job, 0>::get(job)});
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return {};
        }
    }

    template <class Job>
        requires supports_job<Job> result<void> read(std::string_view body, Job& job)
    const {
        if constexpr (has_from_bytes<Job>) {
            return guarded("from_bytes", [&]() -> result<void> {
                auto read = Job::from_bytes(body);
                if constexpr (std::same_as<decltype(read), result<Job>>) {
                    if (!read) return std::move(read.error());
                    job = std::move(*read);
                } else {
                    job = std::move(read);
                }
                return {};
            });
        } else {
            job = Job{};
            const auto bytes = std::as_bytes(std::span{body});
            auto& blob = member<Job, 0>::get(job);
            using byte = typename std::remove_reference_t<decltype(blob)>::value_type;
            const auto* const first = reinterpret_cast<const byte*>(bytes.data());
            blob.assign(first, first + bytes.size());
            return {};
        }
    }

private:
    template <class Function>
    static result<void> guarded(const char* name, Function&& function) {
        try {
            return function();
        } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
            return error_info{errc::invalid_payload, std::string{name} + " of the job type threw",
                              "let it return a result that says why"};
        }
    }
};

static_assert(serializer_policy<raw>);

}  // namespace pgq::serializer
