#pragma once

#include <pgq/protocol/record.hpp>
#include <pgq/time/clock.hpp>
#include <pgq/time/duration_text.hpp>
#include <pgq/time/time_text.hpp>
#include <pgq/time/when.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

/// Options that CLI11 has not. The last one on a line counts.
namespace pgq::cli {

/// For a span of time: "500ms", "10s", "2min", "1h".
inline CLI::Option* add_duration(CLI::App& a, const std::string& names, duration& to, const std::string& what) {
    const auto read = [&to, names](const std::string& text) {
        const auto found = detail::read_duration(text);
        if (!found) throw CLI::ValidationError{names, '"' + text + "\" is no time; write 500ms, 10s, 2min or 1h"};
        to = *found;
    };
    return a.add_option_function<std::string>(names, read, what)->type_name("TIME")->take_last();
}

/// For a point in time: "2026-03-29T01:00:00Z", "2026-03-29".
inline CLI::Option* add_time(CLI::App& a, const std::string& names, std::optional<time_point>& to,
                             const std::string& what) {
    const auto read = [&to, names](const std::string& text) {
        to = detail::read_time(text);
        if (!to)
            throw CLI::ValidationError{names,
                                       '"' + text + "\" is no point in time; write 2026-03-29T01:00:00Z or ...+02:00"};
    };
    return a.add_option_function<std::string>(names, read, what)->type_name("WHEN")->take_last();
}

/// For a time: "2026-03-29T01:00:00Z", "2026-03-29", or how long ago: "2h".
inline CLI::Option* add_moment(CLI::App& a, const std::string& names, when& to, const std::string& what) {
    const auto read = [&to, names](const std::string& text) {
        if (const auto time = detail::read_time(text)) to = at(*time);
        else if (const auto ago = detail::read_duration(text)) to = in(-*ago);
        else
            throw CLI::ValidationError{names, '"' + text + "\" is no time; write 2h for two hours ago, 2026-03-29 or " +
                                                  "2026-03-29T01:00:00Z"};
    };
    return a.add_option_function<std::string>(names, read, what)->type_name("TIME")->take_last();
}

/// For headers: "tenant=a". Each use of the option adds one.
inline CLI::Option* add_headers(CLI::App& a, std::vector<owned_header>& to, const std::string& what) {
    const auto read = [&to](const std::vector<std::string>& all) {
        for (const std::string& text : all) {
            const auto end = text.find('=');
            if (end == 0 || end == std::string::npos)
                throw CLI::ValidationError{"--header", '"' + text + "\" is no header; write NAME=VALUE"};
            to.push_back({.name = text.substr(0, end), .value = text.substr(end + 1)});
        }
    };
    return a.add_option_function<std::vector<std::string>>("--header", read, what)
        ->type_name("NAME=VALUE")
        ->expected(1)
        ->take_all();
}

/// For a text of a filter. An empty one, of a variable of a script that is not set, must not widen the filter.
inline CLI::Option* add_filter(CLI::App& a, const std::string& names, std::string& to, const std::string& what,
                               const std::string& type) {
    const auto read = [&to, names](const std::string& text) {
        if (text.empty()) throw CLI::ValidationError{names, "its text is empty; leave the option out for any"};
        to = text;
    };
    return a.add_option_function<std::string>(names, read, what)->type_name(type)->take_last();
}

/// Whole numbers are decimal, also with zeros before them; CLI11 alone takes 010 as eight.
inline CLI::Validator decimal() {
    const auto read = [](std::string& text) -> std::string {
        std::int64_t n = 0;
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data(), end, n);
        if (text.empty() || error != std::errc{} || at != end) return '"' + text + "\" is no whole number";
        text = std::to_string(n);
        return {};
    };
    return CLI::Validator{read, ""};
}

/// So many seconds, from a tenth to a day.
inline CLI::Validator seconds_of_a_pause() {
    const auto check = [](std::string& text) -> std::string {
        double n = 0;
        const char* const end = text.data() + text.size();
        const auto [at, error] = std::from_chars(text.data(), end, n);
        const bool fine = error == std::errc{} && at == end && n >= 0.1 && n <= 86'400;
        return fine ? "" : '"' + text + "\" is not between 0.1 and 86400 seconds";
    };
    return CLI::Validator{check, ""};
}

/// For one of a few words.
inline CLI::Option* add_choice(CLI::App& a, const std::string& names, std::string& to,
                               const std::vector<std::string>& words, const std::string& what) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : "|") + word;
    const auto read = [&to, names, words, all](const std::string& text) {
        if (std::find(words.begin(), words.end(), text) == words.end())
            throw CLI::ValidationError{names, '"' + text + "\" is not one of " + all};
        to = text;
    };
    return a.add_option_function<std::string>(names, read, what)->type_name(all)->take_last();
}

}  // namespace pgq::cli
