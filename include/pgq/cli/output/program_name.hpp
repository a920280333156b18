#pragma once

#include <string>

namespace pgq::cli {

/// The name of this program in its messages. A process has one, as it has one argv[0]; command_tree sets it.
inline std::string& program_name() {
    static std::string name = "pgq";
    return name;
}

}  // namespace pgq::cli
