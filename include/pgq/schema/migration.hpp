#pragma once

#include <cstdint>
#include <string_view>

namespace pgq::schema {

/// One numbered step of the schema; `{s}` stands for the quoted schema.
struct migration {
    int version;
    std::string_view name;
    std::string_view sql;

    /// FNV-1a of the text, as it is kept in the database: a step that was applied must never change afterwards.
    constexpr std::int64_t checksum() const noexcept {
        std::uint64_t hash = 14695981039346656037u;
        for (char c : sql) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
        return static_cast<std::int64_t>(hash);
    }
};

}  // namespace pgq::schema
