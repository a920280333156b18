#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace pgq::web {

/// A file inside of the binary. tools/pgq/web/embed.cmake writes the table from the folder assets/.
struct asset {
    std::string_view path;  ///< as in a request: "/assets/app.js"
    std::string_view type;
    std::string_view tag;  ///< for the header ETag, with its quotes
    std::string_view bytes;
};

std::span<const asset> assets() noexcept;

/// Null if there is no such file. Nothing of a path is looked for on a disk.
inline const asset* find_asset(std::string_view path) noexcept {
    const auto all = assets();
    const auto found = std::find_if(all.begin(), all.end(), [&](const asset& a) { return a.path == path; });
    return found == all.end() ? nullptr : &*found;
}

/// Addresses of pages, which all are the same file: its script shows the right page.
constexpr bool is_page(std::string_view path) noexcept {
    for (const std::string_view page :
         {"/", "/jobs", "/job", "/failed", "/queues", "/workers", "/schedules", "/system"})
        if (path == page) return true;
    return false;
}

}  // namespace pgq::web
