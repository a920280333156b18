#pragma once

#include <pgq/error/condition.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace pgq {

/// An error with the texts that a person needs to correct it. It never contains the parameters of a statement, so no
/// payload reaches a log through it. `detail` is written by the server and may quote a row.
struct error_info {
    std::error_code code{};
    std::string message{};    ///< what happened; the server's message if the error came from the server
    std::string detail{};     ///< the server's detail line; often empty
    std::string hint{};       ///< how to correct it; often empty
    std::string statement{};  ///< the name of the statement that failed, e.g. "claim"; empty if there was none

    error_info() = default;
    error_info(std::error_code c, std::string text = {}, std::string remedy = {})
        : code{c}, message{text.empty() ? c.message() : std::move(text)}, hint{std::move(remedy)} {}
    error_info(errc c, std::string text = {}, std::string remedy = {})
        : error_info{make_error_code(c), std::move(text), std::move(remedy)} {}

    /// All texts in one line: "claim: message (detail); hint".
    std::string text() const {
        std::string line = statement.empty() ? message : statement + ": " + message;
        if (!detail.empty()) line += " (" + detail + ")";
        if (!hint.empty()) line += "; " + hint;
        return line;
    }

    friend bool operator==(const error_info& e, errc c) noexcept { return e.code == make_error_code(c); }
    friend bool operator==(const error_info& e, condition c) noexcept { return e.code == make_error_condition(c); }
};

}  // namespace pgq
