#pragma once

#include <pgq/schema/generated.hpp>

#include <cstdint>
#include <string_view>

namespace pgq::schema {

/// An object that the migrations make, as statement::find_objects describes it in a new installation. The body of a
/// function is in the migration.
struct expected_object {
    char kind = '?';  ///< object_kind
    std::string_view table{};
    std::string_view name{};
    std::string_view definition{};
    std::string_view traits{};
    bool fine = true;
};

/// Of all migrations together. It says whether catalog/generated.hpp is current.
constexpr std::int64_t checksum_of_migrations() noexcept {
    std::uint64_t sum = 0;
    for (const migration& m : migrations) sum = sum * 1099511628211u + static_cast<std::uint64_t>(m.checksum());
    return static_cast<std::int64_t>(sum);
}

}  // namespace pgq::schema
