#pragma once

#include <pgq/schema/checksum.hpp>

#include <cstdint>
#include <string_view>

namespace pgq::schema {

/// One numbered step of the schema; `{s}` stands for the quoted schema.
struct migration {
    int version;
    std::string_view name;
    std::string_view sql;

    /// The database keeps it: what an applied migration does must never change.
    constexpr std::int64_t checksum() const noexcept { return sql_checksum{sql}.value(); }
};

}  // namespace pgq::schema
