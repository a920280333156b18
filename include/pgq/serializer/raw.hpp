#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/decorator.hpp>
#include <pgq/serializer/raw_message.hpp>

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

template <class T>
inline constexpr bool is_bytes = std::same_as<T, std::string> || std::same_as<T, std::vector<std::byte>>;
template <class T>
inline constexpr bool is_bytes<sensitive<T>> = is_bytes<T>;

template <class Members>
inline constexpr bool is_one_blob = false;
template <class Member>
inline constexpr bool is_one_blob<pgq::detail::type_list<Member>> = is_bytes<typename Member::type>;

template <class Job>
concept blob = adapted<Job> && is_one_blob<members_of<Job>>;

template <class T>
auto& revealed(T& value) noexcept {
    return value;
}
template <class T>
auto& revealed(sensitive<T>& value) noexcept {
    return value.reveal();
}
template <class T>
auto& revealed(const sensitive<T>& value) noexcept {
    return value.reveal();
}

}  // namespace detail

/// The job type itself provides the bytes of the payload; nothing is added. There are three kinds of job types. If a
/// type is of several kinds, the first one counts:
///
/// - It has `static Job from_bytes(std::string_view)` (or with `result<Job>`) and `void to_bytes(std::string&) const`
///   (or with `result<void>`), which appends.
/// - It is a message with the functions of a protocol buffer; see `message`.
/// - It has one adapted member, a `std::string` or a `std::vector<std::byte>`. That member is the payload.
///
/// If memory runs out, it throws std::bad_alloc. Any other exception of these functions becomes
/// `errc::invalid_payload`.
template <class Secrets = detail::conceals>
class basic_raw {
    static constexpr bool may_reveal = std::same_as<Secrets, detail::reveals>;

public:
    using policy_category = serializer_tag;
    using revealing = basic_raw<detail::reveals>;

    static constexpr bool by_members = false;
    template <class Job>
    static constexpr bool supports_job = ((has_from_bytes<Job> && has_to_bytes<Job>) || message<Job> ||
                                          detail::blob<Job>)&&(may_reveal || !holds_sensitive<Job>);

    template <class Job>
        requires supports_job<Job> result<void> write(const Job& job, std::string& out)
    const {
        if constexpr (has_to_bytes<Job>) {
            return guarded("to_bytes", says_why, [&]() -> result<void> {
                if constexpr (std::is_void_v<decltype(job.to_bytes(out))>) return job.to_bytes(out), result<void>{};
                else return job.to_bytes(out);
            });
        } else if constexpr (message<Job>) {
            return guarded("SerializeToString", "set the required fields of the message",
                           [&] { return detail::write_message(job, out); });
        } else {
            const auto bytes = std::as_bytes(std::span{detail::revealed(member<Job, 0>::get(job))});
            out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
            return {};
        }
    }

    template <class Job>
        requires supports_job<Job> result<void> read(std::string_view body, Job& job)
    const {
        if constexpr (has_from_bytes<Job>) {
            return guarded("from_bytes", says_why, [&]() -> result<void> {
                auto read = Job::from_bytes(body);
                if constexpr (std::same_as<decltype(read), result<Job>>) {
                    if (!read) return std::move(read.error());
                    job = std::move(*read);
                } else {
                    job = std::move(read);
                }
                return {};
            });
        } else if constexpr (message<Job>) {
            return guarded("ParseFromString", "let it return false", [&] { return detail::read_message(body, job); });
        } else {
            job = Job{};
            const auto bytes = std::as_bytes(std::span{body});
            auto& blob = detail::revealed(member<Job, 0>::get(job));
            using byte = typename std::remove_reference_t<decltype(blob)>::value_type;
            const auto* const first = reinterpret_cast<const byte*>(bytes.data());
            blob.assign(first, first + bytes.size());
            return {};
        }
    }

private:
    static constexpr const char* says_why = "let it return a result that says why";

    template <class Function>
    static result<void> guarded(const char* name, const char* remedy, Function&& function) {
        try {
            return function();
        } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
            return error_info{errc::invalid_payload, std::string{name} + " of the job type threw", remedy};
        }
    }
};

using raw = basic_raw<>;

static_assert(serializer_policy<raw>);

}  // namespace pgq::serializer
