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

/// The versions of a job type, the current one first. `using previous = ...;` inside each version names the one before.
template <class Job>
using history_of = typename detail::history<Job>::type;

/// A version can be converted to the next one: by `static Next Next::from(Previous&&)`, or else by a constructor.
template <class Next, class Previous>
concept made_by_from = requires(Previous&& old) {
    { Next::from(std::move(old)) } -> std::same_as<Next>;
};
template <class Next, class Previous>
concept upcast_from = made_by_from<Next, Previous> || std::constructible_from<Next, Previous&&>;

/// Lets a job type change while old and new programs run at the same time. `Inner` writes the payloads. The version is
/// part of the lane's name. So a worker claims only jobs that it can read, and no attempt fails because of the version.
///
///     struct resize_1 { std::string path{}; };                                     // old programs write this
///     struct resize   { using previous = resize_1;
///                       static resize from(resize_1&& old) { return {std::move(old.path), 256}; }
///                       std::string path{}; int edge = 0; };
///
/// A program writes the current version. It reads the current version and all previous ones that it names. If no
/// running worker can read a version, the jobs of that version wait. See docs/reference/serializers/versioned.md for
/// the order of a deployment.
///
/// The version is `static constexpr std::string_view version` if the type has it. Otherwise it is a fingerprint of the
/// names and types of the members. Payloads written without `versioned` have an empty version.
template <class Inner>
class versioned : public detail::decorator<Inner> {
public:
    static constexpr bool keeps_versions = true;

    /// The versions that can be read, the current one first.
    template <class Job>
    static constexpr auto versions = []<class... Shapes>(pgq::detail::type_list<Shapes...>) {
        return std::array<std::string_view, sizeof...(Shapes)>{version_of<Shapes>()...};
    }(history_of<Job>{});

    /// Whether `Previous` can be converted to `Next`.
    template <class Next, class Previous>
    static constexpr bool becomes = upcast_from<Next, Previous>;

    template <class Job>
        requires can_write<Inner, Job> result<void> write(const Job& job, std::string& out)
    const { return Inner{}.write(job, out); }

    template <class Job>
        requires can_read<Inner, Job> result<void> read(std::string_view body, Job& job)
    const { return Inner{}.read(body, job); }

    /// Reads a payload of the version `versions[version]`.
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
