#pragma once

#include <pgq/error/error_info.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/histogram.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/clock.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Values of the library as JSON. Ids are strings, because a browser rounds large numbers. Times are milliseconds since
/// 1970, spans are seconds.
namespace pgq::web {

namespace json = boost::json;

json::value id(std::int64_t n);
json::value time(time_point t);
json::value time(const std::optional<time_point>& t);
json::value span(const std::optional<duration>& d);
/// Text of others: invalid bytes become U+FFFD.
json::string text(std::string_view s);
json::value number(const capped_count& n);
json::array headers(const std::vector<owned_header>& all);
json::object percentiles(const duration_histogram& h);

json::object job(const listed_job& j, const listed_lane* lane);
/// A payload for people: JSON as text if it is JSON, else hexadecimal digits, up to a bound. Encrypted ones are
/// only named. `decoded`: what a program of the user made of it, which goes first.
json::object payload(std::string_view body, const std::optional<std::string>& decoded);

/// The status that tells a browser what kind of error it is.
unsigned status_of(const error_info& e) noexcept;

}  // namespace pgq::web
