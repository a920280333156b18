#pragma once

#include <pgq/cli/output/format.hpp>

#include <pgq/protocol/record.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace pgq::cli {

/// Headers as a JSON object; nothing if there are none.
inline std::string header_text(const std::vector<owned_header>& headers) {
    std::string out;
    for (const owned_header& h : headers)
        out += (out.empty() ? "{" : ",") + json_text(h.name) + ':' + json_text(h.value);
    return out.empty() ? out : out + '}';
}

/// The first line of a reason, and not much of that: for a column of a table.
inline std::string short_reason(std::string_view reason) {
    constexpr std::size_t most = 100;
    const std::string_view line = reason.substr(0, reason.find('\n'));
    if (line.size() <= most) return line.size() == reason.size() ? std::string{line} : std::string{line} + " ...";
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0U) == 0x80U) --end;
    return std::string{line.substr(0, end)} + " ...";
}

}  // namespace pgq::cli
