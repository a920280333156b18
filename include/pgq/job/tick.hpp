#pragma once

#include <pgq/cron/literal.hpp>

#include <boost/hana/define_struct.hpp>

#include <string_view>

namespace pgq {

/// A job type without data for a function that runs on schedule. `Name` is its entrypoint.
///
///     pgq::job<pgq::tick<"clean_up">, pgq::schedule::cron<"@daily">>
///
/// Its handler takes `const pgq::tick<"clean_up">&`.
template <cron::literal Name>
struct tick {
    BOOST_HANA_DEFINE_STRUCT(tick);
    static constexpr std::string_view entrypoint = Name.view();
};

}  // namespace pgq
