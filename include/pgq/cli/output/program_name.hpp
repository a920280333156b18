#pragma once

#include <string>
#include <string_view>

namespace pgq::cli {

/// The name of this program in its messages. A process has one, as it has one argv[0]; command_tree sets it.
inline std::string& program_name() {
    static std::string name = "pgq";
    return name;
}

/// A line of it for people: `"pgq jobs show"`.
inline std::string line_of(std::string_view words) { return '"' + program_name() + ' ' + std::string{words} + '"'; }

}  // namespace pgq::cli
