#pragma once

#include <cstdint>
#include <string>

namespace pgq {

/// How bad a finding is. `error`: jobs fail, wait for ever, or are not safe. `warning`: they become slow, or soon fail.
/// `note`: look at it when there is time.
enum class severity : std::uint8_t { error, warning, note };

/// Something that is wrong with an installation.
struct finding {
    pgq::severity severity = pgq::severity::note;
    std::string topic{};   ///< for programs, stable: docs/guides/administration.md lists them
    std::string what{};    ///< one sentence that names the thing
    std::string remedy{};  ///< what to do
    std::string sql{};     ///< statements that repair it; empty if a person must decide
    friend bool operator==(const finding&, const finding&) = default;
};

}  // namespace pgq
