#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/recipe.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::backoff {

/// `Inner`, stored with each job when it is enqueued: the worker that runs the job goes by that, whatever its own policy
/// is, so a queued job keeps the back-off it was enqueued with when programs change.
///
/// It is a header of the job, `recipe::header_name`. One that the caller gave goes before; one that a worker cannot read
/// counts as none, and the worker's own policy is used. Not for `enqueue_stream`, whose jobs have no headers.
template <backoff_policy Inner = jittered<exponential>>
struct travelling {
    using policy_category = backoff_tag;

    /// Whether `Inner` can be written down.
    static constexpr bool can_travel = has_recipe<Inner>;

    Inner inner{};

    duration delay(int attempt) const noexcept { return inner.delay(attempt); }
    recipe as_recipe() const requires has_recipe<Inner> { return recipe_of(inner); }

    friend bool operator==(const travelling&, const travelling&) = default;
};

static_assert(backoff_policy<travelling<>>);

}  // namespace pgq::backoff
