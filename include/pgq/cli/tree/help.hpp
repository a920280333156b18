#pragma once

#include <pgq/cli/tree/node.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli {

using help_lines = std::vector<std::pair<std::string, std::string>>;

inline std::string help_section(const std::string& title, const help_lines& lines) {
    if (lines.empty()) return {};
    std::size_t width = 0;
    for (const auto& [left, right] : lines) width = std::max(width, left.size());
    std::string out = '\n' + title + ":\n";
    for (const auto& [left, right] : lines) {
        out += "  " + left;
        out.append(width - left.size() + 2, ' ');
        out += right + '\n';
    }
    return out;
}

/// "pgq pause [OPTIONS] [QUEUE] [ENTRYPOINT]", "pgq jobs show [OPTIONS] ID..."
inline std::string usage_of(const node& n) {
    std::string line = n.path + (n.runs_alone ? "" : " COMMAND") + " [OPTIONS]";
    for (const auto& o : n.options) {
        const std::string name = o.names + (o.is_repeated ? "..." : "");
        if (o.is_argument) line += o.is_required ? ' ' + name : " [" + name + ']';
    }
    return line;
}

/// What --help prints. It is the same with each version of CLI11.
inline std::string help_of(const node& n) {
    help_lines arguments, options, commands;
    for (const auto& o : n.options) {
        std::string names;
        for (const auto& each : o.each_name()) names += (names.empty() ? "" : ", ") + each;
        (o.is_argument ? arguments : options)
            .emplace_back(o.value.empty() || o.is_argument ? names : names + ' ' + o.value,
                          o.what + (o.is_required && !o.is_argument ? " (required)" : ""));
    }
    options.emplace_back("-h, --help", "Print this help");
    for (const auto& child : n.children) commands.emplace_back(child.name, child.what);
    return n.what + ".\n\nUsage: " + usage_of(n) + '\n' + help_section("Arguments", arguments) +
           help_section("Commands", commands) + help_section("Options", options) +
           (n.path == n.name
                ? ""
                : "\n\"" + n.path.substr(0, n.path.find(' ')) + " --help\" has the options of all commands.\n");
}

}  // namespace pgq::cli
