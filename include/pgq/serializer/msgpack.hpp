#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/nlohmann.hpp>

namespace pgq::serializer {

/// Writes a job as a MessagePack map of its members. It supports the same job types and settings as `nlohmann`. Bytes
/// are written as binary. Text may contain any bytes. Infinity and NaN are written as numbers.
template <json_options Options = json_options{}>
using basic_msgpack = basic_nlohmann<Options, detail::dom_form::msgpack>;

/// MessagePack with the default settings.
using msgpack = basic_msgpack<>;

static_assert(serializer_policy<msgpack>);

}  // namespace pgq::serializer
