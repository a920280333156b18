#pragma once

#include <pgq/time/clock.hpp>
#include <pgq/time/duration_text.hpp>

#include <CLI/App.hpp>
#include <CLI/Error.hpp>

#include <algorithm>
#include <string>
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
