#pragma once

#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/output/safe_text.hpp>

#include <pgq/error/result.hpp>

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>

/// What goes to stdout and stderr, and what comes from the person there.
namespace pgq::cli {

/// Writes to stdout. If nobody reads it any more, the process ends quietly, as it would by SIGPIPE.
inline void write_out(std::string_view text) {
    while (!text.empty()) {
        const ssize_t n = ::write(STDOUT_FILENO, text.data(), text.size());
        if (n >= 0) text.remove_prefix(static_cast<std::size_t>(n));
        else if (errno == EPIPE) std::_Exit(static_cast<int>(exit_code::reader_gone));
        else if (errno != EINTR)
            throw failure{error_info{std::error_code{errno, std::generic_category()},
                                     "the output cannot be written: " + std::generic_category().message(errno)}};
    }
}

/// One line on stderr, without control characters.
inline void complain(std::string_view text) {
    const std::string line = program_name() + ": " + safe(text) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

/// For --verbose.
inline void show_statement(std::string_view sql) {
    std::fprintf(stderr, "-- %.*s\n", static_cast<int>(sql.size()), sql.data());
}

inline bool out_is_terminal() noexcept { return ::isatty(STDOUT_FILENO) == 1; }

inline bool may_use_colour(bool forbidden) noexcept {
    const char* const no = std::getenv("NO_COLOR");    // NOLINT(concurrency-mt-unsafe): nobody sets it
    const char* const terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): as above
    const bool is_dumb = terminal == nullptr || std::string_view{terminal} == "dumb";
    return !forbidden && (no == nullptr || *no == '\0') && !is_dumb && out_is_terminal();
}

/// Asks on the terminal. Empty if there is none.
inline bool has_somebody_to_ask() noexcept { return ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1; }
inline bool answers_yes(std::string_view question) {
    const std::string text = safe(question) + " [y/N] ";
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace pgq::cli
