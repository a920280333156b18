#pragma once

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/recipe.hpp>
#include <pgq/concept/backoff.hpp>
#include <pgq/time/clock.hpp>

namespace pgq::backoff {

/// Stores the back-off `Inner` with each job when it is enqueued. The worker that runs the job uses the stored back-off
/// instead of its own policy. So a queued job keeps its back-off when a new version of the program changes the policy.
///
/// The back-off is a header of the job, `recipe::header_name`. If the caller sets that header, its value is used. If a
/// worker cannot read the value, it uses its own policy. It does not work with `enqueue_stream`, whose jobs have no
/// headers.
template <backoff_policy Inner = jittered<exponential>>
struct travelling {
    using policy_category = backoff_tag;

    /// Whether `Inner` can be written as text.
    static constexpr bool can_travel = has_recipe<Inner>;

    Inner inner{};

    duration delay(int attempt) const noexcept { return inner.delay(attempt); }
    recipe as_recipe() const requires has_recipe<Inner> { return recipe_of(inner); }

    friend bool operator==(const travelling&, const travelling&) = default;
};

static_assert(backoff_policy<travelling<>>);

}  // namespace pgq::backoff
