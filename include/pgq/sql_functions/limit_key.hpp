#pragma once

#include <pgq/concept/limiter.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/job/key.hpp>
#include <pgq/job/members.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/serializer/json/codec.hpp>
#include <pgq/sql_functions/json_shape.hpp>
#include <pgq/sql_functions/sql_text.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace pgq::detail::sql {

template <auto Member, class Job, class M>
bool is_that_member(const Job& job) {
    if constexpr (std::is_member_object_pointer_v<decltype(Member)>) {
        const auto& found = std::invoke(Member, job);
        if constexpr (std::same_as<std::remove_cvref_t<decltype(found)>, typename M::type>)
            return &found == &M::get(job);
    }
    return false;
}

/// An SQL expression of a member's key, as `append_key` writes it, from an expression of the member's text. Empty if
/// SQL cannot tell.
template <class T>
std::string key_text(const std::string& text) {
    if constexpr (says_what_it_writes<T>) return {};
    else if constexpr (std::same_as<T, std::string>) return text;
    else if constexpr (std::same_as<T, bool>) return "(" + text + ")::bool::int::text";
    else if constexpr (own_enum<T>) return key_text<std::underlying_type_t<T>>(text);
    else if constexpr (serializer::detail::json_integer<T>) return "trunc((" + text + ")::numeric)::text";
    else return {};
}

/// An SQL expression of the limit key of a job, from its payload: "NULL" if its limiter goes by no key, empty if only
/// the program can compute the key.
template <class Limiter>
struct limit_key {
    static constexpr bool is_known = !requires { requires Limiter::is_keyed; };
    template <class Job>
    static std::string expression() {
        return is_known ? "NULL" : "";
    }
};
template <auto Member, std::int32_t Most>
struct limit_key<limiter::concurrency_by<Member, Most>> {
    template <class Job>
    static std::string expression() {
        return search<Job>(members_of<Job>{});
    }

private:
    template <class Job, class... Ms>
    static std::string search(type_list<Ms...>) {
        const Job job{};
        std::string found;
        ((is_that_member<Member, Job, Ms>(job) ? void(found = of<Job, Ms>(job)) : void()), ...);
        return found;
    }
    // A payload without the member means the default of the job type.
    template <class Job, class M>
    static std::string of(const Job& job) {
        const std::string there = key_text<typename M::type>("given ->> " + literal(M::name));
        if (there.empty()) return {};
        std::string absent;
        append_key(std::invoke(Member, job), absent);
        return "coalesce(" + there + ", " + literal(absent) + ")";
    }
};
template <class... Limiters>
struct limit_key<limiter::all_of<Limiters...>> {
    template <class Job>
    static std::string expression() {
        std::string found = "NULL";
        const auto look = [&](std::string one) {
            if (one != "NULL") found = std::move(one);
        };
        (look(limit_key<Limiters>::template expression<Job>()), ...);
        return found;
    }
};

}  // namespace pgq::detail::sql
