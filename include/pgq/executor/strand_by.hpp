#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/executor/decorator.hpp>

namespace pgq::executor {

/// Runs the jobs of one entrypoint that have an equal member one after the other, in the order in which the worker starts them, and
/// others side by side: `pgq::job<resize, executor::strand_by<&resize::album>>`. For an entrypoint only.
///
/// That holds within one worker; for all processes there are the limiters. A job keeps its turn during a `retrying`, wherever that
/// stands; one that goes back to the database does not, and those behind it go on.
///
/// The member's type has a std::hash and `==`, or else `<`. A const member function without parameters will do, too. Jobs that wait for
/// their turn hold no thread, but they are in the worker's hands. Each payload is read twice, once by the worker's own
/// thread.
template <auto Member, executor_policy Inner = default_inner>
class strand_by : public decorator<Inner> {
public:
    static constexpr auto strand_member = Member;

    using decorator<Inner>::decorator;
};

}  // namespace pgq::executor
