#pragma once

#include <pgq/error/result.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>

namespace pgq::cli {

/// All that standard input has. A stream of C++ takes an error for the end.
inline result<std::string> read_standard_input() {
    std::string all;
    char part[65536];
    for (;;) {
        const auto n = ::read(STDIN_FILENO, part, sizeof part);
        if (n == 0) return all;
        if (n > 0) all.append(part, static_cast<std::size_t>(n));
        else if (errno != EINTR)
            return error_info{
                errc::invalid_option,
                "standard input cannot be read: " + std::error_code{errno, std::generic_category()}.message(),
                "give the payload on the line, or check the redirection"};
    }
}

}  // namespace pgq::cli
