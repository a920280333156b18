#pragma once

#include <pgq/cli/payload/text_form.hpp>

#include <pgq/compose/composition.hpp>
#include <pgq/compose/read_job.hpp>
#include <pgq/concept/serializer.hpp>
#include <pgq/detail/type_list.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/protocol/listing.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::cli {

/// `"to", "subject"`; empty if only the type's own code knows the members.
template <class Job>
std::string names_of_members() {
    std::string names;
    if constexpr (adapted<Job>) {
        const auto add = [&names](std::string_view name) {
            names += (names.empty() ? "\"" : ", \"") + std::string{name} + '"';
        };
        [&add]<class... Members>(detail::type_list<Members...>) { (add(Members::name), ...); }(members_of<Job>{});
    }
    return names;
}

/// The payloads of a queue type, for people.
template <class Queue>
class typed_payloads {
    using composition = typename Queue::composition_type;
    using jobs = typename composition::jobs;

public:
    /// The JSON of a stored payload of any version, with "***" for sensitive members. Empty: the queue type does not
    /// have the lane, or the bytes cannot be read, for example because the key is missing. The name of the queue does
    /// not matter: queues of one type may have many.
    static std::optional<std::string> decode(const listed_lane& of, std::string_view body) {
        for (const lane_entry& lane : composition::lanes)
            if (lane.name.entrypoint == of.entrypoint && lane.name.version == of.version)
                return decode_nth(jobs{}, lane, body);
        return std::nullopt;
    }

    /// Calls `f.template operator()<Job>()` for the job type of an entrypoint. False: there is none.
    template <class F>
    static bool with_job_of(std::string_view entrypoint, F f) {
        return [&]<class... Jobs>(detail::type_list<Jobs...>) {
            return ((entrypoint == entrypoint_of<Jobs> ? (f.template operator()<Jobs>(), true) : false) || ...);
        }(jobs{});
    }

    /// Whether people can write jobs of the type as JSON.
    template <class Job>
    static constexpr bool has_text =
        can_read<written_form<typename composition::template serializer_of<Job>, serializer::if_missing::fail>, Job>;

    /// Reads a job that a person has written. An error names the member, and says what to do.
    template <class Job>
    static result<void> read(std::string_view json, bool defaults, Job& job) {
        using written_by = typename composition::template serializer_of<Job>;
        auto got = defaults ? written_form<written_by, serializer::if_missing::use_default>{}.read(json, job)
                            : written_form<written_by, serializer::if_missing::fail>{}.read(json, job);
        if (!got) got.error().hint = remedy<Job>(got.error());
        return got;
    }

private:
    template <class... Jobs>
    static std::optional<std::string> decode_nth(detail::type_list<Jobs...>, const lane_entry& lane,
                                                 std::string_view body) {
        std::optional<std::string> text;
        std::size_t at = 0;
        (void)((at++ == lane.job ? (text = shown<Jobs>(body, lane.version), true) : false) || ...);
        return text;
    }
    template <class Job>
    static std::optional<std::string> shown(std::string_view body, std::size_t version) {
        using form = shown_form<typename composition::template serializer_of<Job>>;
        if constexpr (can_write<form, Job>) {
            Job job{};
            std::string text;
            if (detail::read_job<composition>(body, version, job) && form{}.write(job, text)) return text;
        }
        return std::nullopt;
    }
    template <class Job>
    static std::string remedy(const error_info& e) {
        if (e.message.find("not JSON") != std::string::npos)
            return "give one JSON object, for a shell in single quotes: '{...}'";
        const std::string names = names_of_members<Job>();
        std::string all = names.empty() ? "write what its own code reads" : "the members of this job are " + names;
        if (e == errc::missing_member) return all + "; --defaults leaves out those that have a default";
        return all;
    }
};

}  // namespace pgq::cli
