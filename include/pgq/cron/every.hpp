#pragma once

#include <pgq/cron/expression.hpp>
#include <pgq/cron/literal.hpp>
#include <pgq/cron/parser.hpp>
#include <pgq/cron/problem.hpp>
#include <pgq/cron/refused.hpp>

namespace pgq::cron {

namespace detail {

template <literal Text>
inline constexpr parsed read = parse(Text.view());

}  // namespace detail

/// Checks an expression, for templates that take one: `template <cron::literal Text> requires cron::valid<Text>`. The
/// expression that is wrong is a compile-time error here, with one sentence; the constraint itself never fails.
template <literal Text>
concept valid = sizeof(refused<detail::read<Text>.error.what, detail::read<Text>.error.where,
                               detail::read<Text>.error.character>) != 0;

/// A cron expression that the compiler has checked: `cron::every<"*/5 * * * *">`. A wrong expression, a range that runs
/// backwards and a date that never comes do not compile.
template <literal Text>
    requires valid<Text>
inline constexpr expression every{detail::read<Text>.value};

}  // namespace pgq::cron
