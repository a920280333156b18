#pragma once

#include <pgq/error/result.hpp>
#include <pgq/schema/migration.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace pgq::schema {

/// A migration that the database has.
struct applied {
    int version = 0;
    std::int64_t checksum = 0;
};

/// The missing migrations, in order. An error when the database has a newer migration than this program, or when a
/// migration was changed after it was applied.
inline result<std::vector<const migration*>> plan(std::span<const migration> known, std::span<const applied> found) {
    for (const auto& f : found)
        if (f.version > known.back().version)
            return error_info{errc::schema_newer,
                              "the database has migration " + std::to_string(f.version) + ", this program knows " +
                                  std::to_string(known.back().version),
                              "update this program"};
    std::vector<const migration*> missing;
    for (const auto& k : known) {
        const applied* had = nullptr;
        for (const auto& f : found)
            if (f.version == k.version) had = &f;
        if (had == nullptr) {
            missing.push_back(&k);
        } else if (had->checksum != k.checksum()) {
            return error_info{errc::schema_changed,
                              "migration " + std::to_string(k.version) + " (" + std::string{k.name} +
                                  ") is not the one that was applied",
                              "restore the file, or install into another schema"};
        }
    }
    return missing;
}

}  // namespace pgq::schema
