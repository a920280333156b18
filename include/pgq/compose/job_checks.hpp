#pragma once

#include <pgq/compose/problem.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/diagnostic/arguments.hpp>
#include <pgq/diagnostic/jobs.hpp>
#include <pgq/diagnostic/payload.hpp>
#include <pgq/job/member_listing.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/job/traits.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pgq::detail {

template <class Job>
consteval auto job_problem() {
    if constexpr (has_variable_entrypoint<Job>) return problem<diagnostic::entrypoint_not_constant<Job>>{};
    else if constexpr (!has_entrypoint<Job>) return problem<diagnostic::no_entrypoint<Job>>{};
    else if constexpr (entrypoint_of<Job>.empty()) return problem<diagnostic::empty_entrypoint<Job>>{};
    else if constexpr (entrypoint_of<Job>.size() > max_name_bytes) return problem<diagnostic::long_entrypoint<Job>>{};
    else if constexpr (!is_storable_text(entrypoint_of<Job>)) {
        return problem<diagnostic::entrypoint_not_text<Job>>{};
    } else if constexpr (!std::default_initializable<Job>) return problem<diagnostic::no_default_constructor<Job>>{};
    else return fine{};
}

/// Positions of the first two that have one name; the size, twice, when all differ.
template <std::size_t N>
consteval std::pair<std::size_t, std::size_t> same_name(const std::array<std::string_view, N>& names) {
    for (std::size_t i = 0; i < N; ++i)
        for (std::size_t j = i + 1; j < N; ++j)
            if (names[i] == names[j]) return {i, j};
    return {N, N};
}

template <class... Jobs>
consteval auto same_entrypoint_problem(type_list<Jobs...>) {
    using jobs = type_list<Jobs...>;
    constexpr auto same = same_name(std::array<std::string_view, sizeof...(Jobs)>{entrypoint_of<Jobs>...});
    if constexpr (same.first == jobs::size) return fine{};
    else return problem<diagnostic::same_entrypoint<at_t<same.first, jobs>, at_t<same.second, jobs>>>{};
}

template <class S>
concept writes_members = requires {
    requires S::by_members;
};

// Some jobs write themselves, whatever members they have.
template <class S, class Job>
concept writes_whole = requires {
    requires S::template writes_whole<Job>;
};

template <class S, class Job>
concept refuses_job = requires {
    requires !S::template supports_job<Job>;
};

template <class Serializer, class Job, class... Members>
consteval auto members_problem(type_list<Members...>) {
    return first_problem_t<std::conditional_t<
        Serializer::template supports_member<typename Members::type>, fine,
        problem<diagnostic::member_not_supported<Job, Members, typename Members::type, Serializer>>>...>{};
}

/// What is wrong with the list of members of an adapted struct, or of one inside of it.
template <class T>
consteval auto listing_problem() {
    using mistake = listing_mistake_t<T>;
    if constexpr (mistake::what == listing_error::left_out) {
        return problem<diagnostic::member_left_out<typename mistake::type>>{};
    } else if constexpr (mistake::what == listing_error::twice) {
        return problem<diagnostic::member_listed_twice<typename mistake::type>>{};
    } else return fine{};
}

template <class Job>
concept has_result = requires {
    typename Job::result;
};

/// Whether the result can be stored.
template <class Job, class Serializer>
consteval auto result_problem() {
    if constexpr (!has_result<Job>) return fine{};
    else if constexpr (!std::is_object_v<typename Job::result> || std::is_const_v<typename Job::result>) {
        return problem<diagnostic::result_is_no_value<Job>>{};
    } else if constexpr (!keeps_result<Job, Serializer> || !std::default_initializable<typename Job::result>) {
        return problem<diagnostic::result_not_supported<Job, typename Job::result, Serializer>>{};
    } else return listing_problem<typename Job::result>();
}

/// What the serializer can see and write; asked in this order because each sentence is more exact than the next.
template <class Job, class Serializer>
consteval auto shape_problem() {
    if constexpr (!writes_members<Serializer> || writes_whole<Serializer, Job>) return fine{};
    else if constexpr (!adapted<Job>) return problem<diagnostic::not_adapted<Job, Serializer>>{};
    else if constexpr (!is_fine<decltype(listing_problem<Job>())>) return listing_problem<Job>();
    else return members_problem<Serializer, Job>(members_of<Job>{});
}

template <class S>
concept keeps_versions = requires {
    requires S::keeps_versions;
};

template <class Job>
concept has_former_payload = requires {
    typename Job::previous;
};

template <class Serializer, class Job>
consteval auto former_problem() {
    if constexpr (!has_former_payload<Job>) return fine{};
    else {
        using previous = typename Job::previous;
        if constexpr (!std::default_initializable<previous> || !can_read<Serializer, previous>) {
            return problem<diagnostic::former_payload_not_readable<previous, Serializer>>{};
        } else if constexpr (!Serializer::template becomes<Job, previous>) {
            return problem<diagnostic::no_upcast<Job, previous>>{};
        } else return former_problem<Serializer, previous>();
    }
}

template <std::size_t N>
consteval bool all_differ(const std::array<std::string_view, N>& names) {
    return same_name(names).first == N;
}

/// What keeps a serializer with versions from reading all of a job's history.
template <class Job, class Serializer>
consteval auto history_problem() {
    if constexpr (!keeps_versions<Serializer>) return fine{};
    else if constexpr (!is_fine<decltype(former_problem<Serializer, Job>())>) return former_problem<Serializer, Job>();
    else if constexpr (!all_differ(Serializer::template versions<Job>)) return problem<diagnostic::same_version<Job>>{};
    else return fine{};
}

template <class Job, class Serializer>
consteval auto payload_problem() {
    if constexpr (std::is_void_v<Serializer>) return problem<diagnostic::no_serializer<Job>>{};
    else if constexpr (holds_sensitive<Job> && !encrypting_serializer<Serializer>) {
        return problem<diagnostic::sensitive_not_encrypted<Job, Serializer>>{};
    } else if constexpr (!is_fine<decltype(shape_problem<Job, Serializer>())>) return shape_problem<Job, Serializer>();
    else if constexpr (refuses_job<Serializer, Job>) return problem<diagnostic::job_not_supported<Job, Serializer>>{};
    else if constexpr (!serializer_for<Serializer, Job>) {
        return problem<diagnostic::incomplete_serializer<Job, Serializer>>{};
    } else if constexpr (!is_fine<decltype(result_problem<Job, Serializer>())>) {
        return result_problem<Job, Serializer>();
    } else return history_problem<Job, Serializer>();
}

}  // namespace pgq::detail
