#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>
#include <pgq/job/members.hpp>

// Compile-time messages about a job type and its serializer.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct not_adapted {
    static_assert(adapted<Job>,
                  "pgq: the serializer cannot see the members of a job type. Write BOOST_HANA_ADAPT_STRUCT(T, "
                  "members...) after it, in the global namespace.");
};

/// `Member` is the member of the job, and `Type` is its type.
template <class Job, class Member, class Type, class Serializer>
struct member_not_supported {
    static_assert(never<Job, Member, Type, Serializer>,
                  "pgq: the serializer cannot write and read a member of a job type. Change the member's type, or "
                  "specialize pgq::codec for it.");
};

template <class Job, class Serializer>
struct sensitive_not_encrypted {
    static_assert(never<Job, Serializer>,
                  "pgq: a job type has a sensitive member, but its serializer does not encrypt. Put the serializer "
                  "into pgq::serializer::encrypted<..., Keys>, or use a member that is not sensitive.");
};

template <class Job, class Serializer>
struct job_not_supported {
    static_assert(never<Job, Serializer>,
                  "pgq: the serializer does not support a job type. Give its entrypoint another serializer, or give "
                  "the job type the form that the serializer requires.");
};

template <class Serializer>
struct inner_is_no_serializer {
    static_assert(never<Serializer>,
                  "pgq: the first argument of a serializer decorator is not a serializer. Write the serializer first: "
                  "encrypted<json, Keys>, compressed<json>.");
};

template <class Serializer>
struct incomplete_keys {
    static_assert(never<Serializer>,
                  "pgq: the keys of an encrypted<> have no default constructor, no current() or no find(). Give it a "
                  "class as in pgq/serializer/keys.hpp, or keys_of<ring> with a key_ring that is a global variable.");
};

template <class Serializer>
struct compresses_ciphertext {
    static_assert(never<Serializer>,
                  "pgq: compressed<> is around encrypted<>, but encrypted bytes cannot be compressed. Write "
                  "encrypted<compressed<...>, Keys>.");
};

template <class Serializer>
struct hidden_versions {
    static_assert(never<Serializer>,
                  "pgq: a serializer is around versioned<> and hides its versions. Put versioned<> outside: "
                  "versioned<encrypted<compressed<json>, Keys>>.");
};

template <class Previous, class Serializer>
struct former_payload_not_readable {
    static_assert(never<Previous, Serializer>,
                  "pgq: the serializer cannot read a former payload, `previous` of a job type. Adapt that struct like "
                  "the job type; for encrypted<> it also needs the entrypoint of the job.");
};

template <class Next, class Previous>
struct no_upcast {
    static_assert(never<Next, Previous>,
                  "pgq: a former payload cannot be converted to the next version. Write `static Next from(Previous&&)` "
                  "in the newer struct.");
};

template <class Job>
struct same_version {
    static_assert(never<Job>,
                  "pgq: two payload types in the history of a job type have the same version. Remove one of them, or "
                  "give one `static constexpr std::string_view version`.");
};

template <class Job, class Serializer>
struct incomplete_serializer {
    static_assert(serializer_for<Serializer, Job>,
                  "pgq: a serializer lacks write() or read() for a job type. Give it both as in "
                  "pgq/concept/serializer.hpp.");
};

}  // namespace pgq::diagnostic
