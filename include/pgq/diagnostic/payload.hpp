#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/diagnostic/never.hpp>
#include <pgq/job/members.hpp>

// The messages about a job type and the serializer that has to write and read it.
namespace pgq::diagnostic {

template <class Job, class Serializer>
struct not_adapted {
    static_assert(
        adapted<Job>,
        "pgq: the serializer cannot see the members of a job type. Write BOOST_HANA_ADAPT_STRUCT(T, members...) "
        "at namespace scope behind it.");
};

/// `Type` is the member's type, `Member` says which of the job's members it is.
template <class Job, class Member, class Type, class Serializer>
struct member_not_supported {
    static_assert(never<Job, Member, Type, Serializer>,
                  "pgq: the serializer cannot write and read a member of a job type. Change the member's type, or "
                  "specialize pgq::codec for it.");
};

template <class Job, class Serializer>
struct sensitive_in_the_clear {
    static_assert(never<Job, Serializer>,
                  "pgq: a job type has a sensitive member and its serializer does not encrypt. Put the serializer into "
                  "pgq::serializer::encrypted<..., Keys>, or make the member a plain one.");
};

template <class Job, class Serializer>
struct job_not_supported {
    static_assert(never<Job, Serializer>,
                  "pgq: the serializer does not support a job type. Give its entrypoint another serializer, or the job "
                  "type the shape that the serializer asks for.");
};

template <class Serializer>
struct inner_is_no_serializer {
    static_assert(never<Serializer>,
                  "pgq: a serializer is wrapped around something that is no serializer. Write the serializer first: "
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
                  "pgq: a compressed<> around an encrypted<>, and what is encrypted cannot be compressed. Write "
                  "encrypted<compressed<...>, Keys>.");
};

template <class Serializer>
struct hidden_versions {
    static_assert(
        never<Serializer>,
        "pgq: a serializer is wrapped around a versioned<>, where its versions are overlooked. Put versioned<> "
        "outside: versioned<encrypted<compressed<json>, Keys>>.");
};

template <class Previous, class Serializer>
struct former_payload_not_readable {
    static_assert(
        never<Previous, Serializer>,
        "pgq: the serializer cannot read a former payload, `previous` of a job type. Adapt that struct like the job "
        "itself; for encrypted<> it needs the job's entrypoint, too.");
};

template <class Next, class Previous>
struct no_upcast {
    static_assert(never<Next, Previous>,
                  "pgq: nothing turns a former payload into the one that followed it. Write "
                  "`static Next from(Previous&&)` in the later struct.");
};

template <class Job>
struct same_version {
    static_assert(never<Job>,
                  "pgq: two shapes in the history of a job type have one version. Remove one of them, or give one "
                  "`static constexpr std::string_view version`.");
};

template <class Job, class Serializer>
struct incomplete_serializer {
    static_assert(serializer_for<Serializer, Job>,
                  "pgq: a serializer lacks write() or read() for a job type. Give it both as in "
                  "pgq/concept/serializer.hpp.");
};

}  // namespace pgq::diagnostic
