#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/decorator.hpp>
#include <pgq/serializer/json/codec.hpp>
#include <pgq/serializer/json/containers.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/parser.hpp>
#include <pgq/serializer/json/scalars.hpp>
#include <pgq/serializer/json/sensitive.hpp>
#include <pgq/serializer/json/struct.hpp>
#include <pgq/serializer/json/sums.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace pgq::serializer {

namespace detail {

// Does not check that the job is default-constructible: another check does that, with its own message.
template <class Job>
inline constexpr bool has_encodable_members = false;
template <adapted Job>
inline constexpr bool has_encodable_members<Job> =
    has_codec<Job>&& all_encodable<typename parts_of<Job>::type, type_list<Job>>::value;

}  // namespace detail

/// Writes a job as a JSON object of its adapted members. docs/reference/serializers/json.md lists the types that can be
/// members.
///
/// Errors name the place but never the value: "$.to.0.street: expected a string, found a number". If memory runs out,
/// it throws std::bad_alloc. Any other exception of a `codec` becomes `errc::invalid_payload`. After a failed read,
/// some members of the job have new values and others do not.
///
/// Only the form `revealing`, which `encrypted` uses, writes `sensitive` members. The form that shows jobs to people
/// writes "***" in their place.
template <json_options Options = json_options{}, class Secrets = detail::conceals>
class basic_json {
    static constexpr secret_values secrets = detail::secret_values_of<Secrets>;
    static constexpr bool takes_secrets = secrets != secret_values::conceal;
    template <class T>
    static constexpr bool writes = can_encode<T> && (takes_secrets || !holds_sensitive<T>);

public:
    using policy_category = serializer_tag;

    static_assert(Options.max_bytes <= max_json_bytes, "pgq: json_options::max_bytes is above 4 GiB. Use less.");

    using revealing = basic_json<Options, detail::reveals>;
    /// What people write and read in place of the payload.
    template <json_options Other, class OtherSecrets>
    using as_text = basic_json<Other, OtherSecrets>;

    static constexpr json_options options = Options;
    /// A queue checks each member of a job, so that the compiler's message can name the member that is not supported.
    static constexpr bool by_members = true;
    template <class T>
    static constexpr bool supports_member = writes<T>;
    template <class Job>
    static constexpr bool supports_job = detail::has_encodable_members<Job> && (takes_secrets || !holds_sensitive<Job>);

    template <class T>
        requires writes<T> result<void> write(const T& job, std::string& out)
    const {
        const std::size_t before = out.size();
        json_writer writer{out, Options, secrets};
        try {
            encode(job, writer);
        } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
            writer.fail("a codec threw while writing");
        }
        if (out.size() - before > Options.max_bytes)
            writer.fail("the payload is larger than max_bytes", errc::payload_too_large);
        if (writer.failed()) return writer.problem().error();
        return {};
    }

    template <class T>
        requires writes<T> result<void> read(std::string_view body, T& job)
    const {
        json_reading reading{.options = Options};
        detail::lent_tape tape;
        if (!detail::parse_json(body, *tape, reading)) return reading.problem.error();
        try {
            job = T{};
            if (decode(json_value{(*tape).tokens.front(), reading}, job)) return {};
            (void)reading.problem.fail("a codec failed without a reason", errc::invalid_payload);
        } catch (const std::bad_alloc&) { throw; } catch (const std::exception&) {
            reading.problem.fail("a codec threw while reading", errc::invalid_payload);
        }
        return reading.problem.error();
    }
};

/// JSON with the default settings.
using json = basic_json<>;

static_assert(serializer_policy<json>);

}  // namespace pgq::serializer
