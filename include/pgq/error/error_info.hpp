#pragma once

#include <pgq/error/condition.hpp>

#include <string>
#include <system_error>
#include <utility>

namespace pgq {

/// An error with what a person needs to act on it. It never holds a statement's parameters, so nothing of a payload
/// reaches a log through it.
struct error_info {
    std::error_code code{};
    std::string message{};    ///< what happened; the server's own words when it spoke
    std::string detail{};     ///< the server's detail line
    std::string hint{};       ///< the remedy
    std::string statement{};  ///< the name of our statement, e.g. "claim"

    error_info() = default;
    error_info(std::error_code c, std::string text = {}, std::string remedy = {})
        : code{c}, message{text.empty() ? c.message() : std::move(text)}, hint{std::move(remedy)} {}
    error_info(errc c, std::string text = {}, std::string remedy = {})
        : error_info{make_error_code(c), std::move(text), std::move(remedy)} {}

    /// Everything in one line: "claim: message (detail); hint".
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
