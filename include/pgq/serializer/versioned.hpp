#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/fingerprint.hpp>
#include <pgq/serializer/decorator.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::serializer {

namespace detail {

template <class Job>
concept has_previous = requires {
    typename Job::previous;
};

template <class Job>
struct history {
    using type = pgq::detail::type_list<Job>;
};
template <has_previous Job>
struct history<Job> : pgq::detail::concat<pgq::detail::type_list<Job>, typename history<typename Job::previous>::type> {
};

}  // namespace detail

/// A job type and its former shapes, the present one first: `using previous = ...;` inside of each leads to the one before.
template <class Job>
using history_of = typename detail::history<Job>::type;

/// How a former payload becomes the next one: by `static Next Next::from(Previous&&)`, or else as a constructor does it.
template <class Next, class Previous>
concept made_by_from = requires(Previous&& old) {
    { Next::from(std::move(old)) } -> std::same_as<Next>;
};
template <class Next, class Previous>
concept upcast_from = made_by_from<Next, Previous> || std::constructible_from<Next, Previous&&>;

/// Payloads that change their shape while old and new programs run side by side. `Inner` writes them; their version is stored as
/// a part of the lane's name, so a worker is only ever handed jobs that it can read, and no attempt is burned on another.
///
///     struct resize_1 { std::string path{}; };                                     // what old programs write
///     struct resize   { using previous = resize_1;
///                       static resize from(resize_1&& old) { return {std::move(old.path), 256}; }
///                       std::string path{}; int edge = 0; };
///
/// A program reads the present version and all former ones that it names, and writes the present one. Jobs of a version that
/// nobody running can read wait. See docs/reference/serializers/versioned.md for the order of a deployment.
///
/// The version is a fingerprint of the members' names and types, or `static constexpr std::string_view version`, if the type has
/// one; that of payloads written without `versioned` is the empty text.
template <class Inner>
class versioned : public detail::decorator<Inner> {
public:
    static constexpr bool keeps_versions = true;

    /// The versions that are read, the present one first.
    template <class Job>
    static constexpr auto versions = []<class... Shapes>(pgq::detail::type_list<Shapes...>) {
        return std::array<std::string_view, sizeof...(Shapes)>{version_of<Shapes>()...};
    }(history_of<Job>{});

    /// Whether a former payload becomes the next one.
    template <class Next, class Previous>
    static constexpr bool becomes = upcast_from<Next, Previous>;

    template <class Job>
        requires can_write<Inner, Job> result<void> write(const Job& job, std::string& out)
    const { return Inner{}.write(job, out); }

    template <class Job>
        requires can_read<Inner, Job> result<void> read(std::string_view body, Job& job)
    const { return Inner{}.read(body, job); }

    /// A payload of the version at `version` of `versions`.
    template <class Job>
        requires can_read<Inner, Job> result<void> read(std::string_view body, Job& job, std::size_t version)
    const {
        if constexpr (detail::has_previous<Job>) {
            if (version != 0) {
                typename Job::previous old{};
                if (auto got = read(body, old, version - 1); !got) return got;
                if constexpr (made_by_from<Job, typename Job::previous>) job = Job::from(std::move(old));
                else job = Job(std::move(old));
                return {};
            }
        }
        return Inner{}.read(body, job);
    }
};

}  // namespace pgq::serializer
