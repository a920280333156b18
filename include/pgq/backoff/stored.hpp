#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/spec.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::backoff {

/// `Inner`, stored with each job when it is enqueued. The worker that runs the job uses the stored back-off, whatever
/// its own policy is: a queued job keeps its back-off when programs change.
///
/// It is stored as a header of the job, `spec::header_name`. A header that the caller gave goes before. If a worker
/// cannot read the header, it uses its own policy. Not for `enqueue_stream`, whose jobs have no headers.
template <backoff_policy Inner = jittered<exponential>>
struct stored {
    using policy_category = backoff_tag;

    /// Whether `Inner` has a spec.
    static constexpr bool can_be_stored = has_spec<Inner>;

    Inner inner{};

    duration delay(int attempt) const noexcept { return inner.delay(attempt); }
    spec as_spec() const requires has_spec<Inner> { return spec_of(inner); }

    friend bool operator==(const stored&, const stored&) = default;
};

static_assert(backoff_policy<stored<>>);

}  // namespace pgq::backoff
