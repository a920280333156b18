#pragma once

#include <pgq/cli/output/payload_text.hpp>
#include <pgq/cli/top/canvas.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::cli::top {

/// The text in lines of at most `width` columns, without control characters.
inline std::vector<std::string> wrapped(std::string_view text, std::size_t width, const glyphs& g) {
    std::vector<std::string> lines;
    width = width == 0 ? 1 : width;
    while (true) {
        const std::size_t end = text.find('\n');
        std::string now;
        std::size_t used = 0;
        each_character(g.safe(text.substr(0, end)), [&](char32_t c, std::string_view bytes) {
            const auto w = static_cast<std::size_t>(cli::width_of(c));
            if (used + w > width) lines.push_back(std::move(now)), now.clear(), used = 0;
            now += bytes;
            used += w;
        });
        lines.push_back(std::move(now));
        if (end == std::string_view::npos || end + 1 == text.size()) return lines;
        text.remove_prefix(end + 1);
    }
}

/// The payload as `pgq jobs show` has it.
inline std::string payload_of(const std::optional<std::string>& body) {
    constexpr std::size_t most = 65'536;
    return body ? payload_text(*body, most) : "the job has ended: its payload is gone";
}

}  // namespace pgq::cli::top
