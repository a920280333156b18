#pragma once

#include <pgq/concept/serializer.hpp>
#include <pgq/serializer/json_options.hpp>
#include <pgq/serializer/nlohmann.hpp>

namespace pgq::serializer {

/// Payloads as MessagePack maps of their members: the same job types as `nlohmann`, and the same settings. Bytes are
/// binary, text may be any bytes, numbers that are not finite are numbers.
template <json_options Options = json_options{}>
using basic_msgpack = basic_nlohmann<Options, detail::dom_form::msgpack>;

/// MessagePack with the default settings.
using msgpack = basic_msgpack<>;

static_assert(serializer_policy<msgpack>);

}  // namespace pgq::serializer
