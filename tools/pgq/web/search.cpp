#include "search.hpp"

#include <pgq/cli/output/state_name.hpp>
#include <pgq/protocol/tracked.hpp>
#include <pgq/time/duration_text.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::web {

namespace {

struct word {
    std::string text{};
    bool quoted = false;  ///< it begins with a quote, so it has no qualifier
};

std::vector<word> words_of(std::string_view text) {
    std::vector<word> all;
    std::optional<word> now;
    bool inside = false, escaped = false;
    for (const char c : text) {
        if (std::exchange(escaped, false)) {
            now->text += c;
        } else if (inside && c == '\\') {
            escaped = true;
        } else if (c == '"') {
            if (!now) now = word{.quoted = true};
            inside = !inside;
        } else if (!inside && (c == ' ' || c == '\t')) {
            if (now) all.push_back(std::move(*now));
            now.reset();
        } else {
            if (!now) now.emplace();
            now->text += c;
        }
    }
    if (now) all.push_back(std::move(*now));
    return all;
}

std::optional<std::int64_t> integer(std::string_view text) {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
    return n;
}

error_info wrong(const std::string& what, const std::string& remedy) { return {errc::invalid_option, what, remedy}; }

std::optional<job_state> state_of(std::string_view name) {
    for (const auto& [state, known] : cli::state_names)
        if (known == name && state != job_state::ended) return state;
    return std::nullopt;
}

class reader {
public:
    explicit reader(time_point now) : now_{now} {}

    result<void> take(const word& w, bool only) {
        const auto colon = w.text.find(':');
        if (!w.quoted && colon != std::string::npos) {
            const std::string name = w.text.substr(0, colon), value = w.text.substr(colon + 1);
            if (auto taken = qualifier(name, value); !taken || *taken) return taken ? result<void>{} : taken.error();
        }
        if (only && !w.quoted && integer(w.text)) return id(w.text);
        found_.reason += (found_.reason.empty() ? "" : " ") + w.text;
        return {};
    }
    job_selection done() && { return std::move(found_); }

private:
    /// False: it is none, but text.
    result<bool> qualifier(const std::string& name, const std::string& value) {
        constexpr std::string_view once[] = {"queue", "entrypoint", "state", "id", "newer", "older"};
        if (std::find(std::begin(once), std::end(once), name) != std::end(once) && !seen_.insert(name).second)
            return wrong(name + ": is there twice", "a job matches all of the search, so write it once");
        result<void> done{};
        if (name == "queue" || name == "entrypoint") done = lane_name(name, value);
        else if (name == "state") done = states(value);
        else if (name == "header") done = header(value);
        else if (name == "id") done = id(value);
        else if (name == "newer" || name == "older") done = age(name == "newer", value);
        else return false;
        if (!done) return done.error();
        return true;
    }
    /// An empty name would mean all.
    result<void> lane_name(const std::string& what, const std::string& value) {
        if (value.empty()) return wrong(what + ": has no name", "leave it out for any");
        (what == "queue" ? found_.queue : found_.entrypoint) = value;
        return {};
    }
    result<void> states(std::string_view names) {
        unsigned all = 0;
        while (!names.empty()) {
            const auto comma = names.find(',');
            const auto state = state_of(names.substr(0, comma));
            if (!state)
                return wrong("there is no state \"" + std::string{names.substr(0, comma)} + '"',
                             "write state:ready, deferred, blocked, leased or held");
            all |= static_cast<unsigned>(*state);
            names = comma == std::string_view::npos ? std::string_view{} : names.substr(comma + 1);
        }
        if (all == 0) return wrong("state: has no state", "write state:held");
        found_.states = static_cast<job_state>(all);
        return {};
    }
    result<void> header(const std::string& text) {
        const auto equals = text.find('=');
        if (equals == 0 || equals == std::string::npos)
            return wrong("a header has a name and a value", "write header:NAME=VALUE");
        found_.headers.push_back({text.substr(0, equals), text.substr(equals + 1)});
        return {};
    }
    result<void> id(std::string_view text) {
        const auto n = integer(text);
        if (!n) return wrong("\"" + std::string{text} + "\" is no id of a job", "an id is a number");
        found_.after = {*n - 1};
        found_.last = {*n};
        return {};
    }
    result<void> age(bool newer, std::string_view text) {
        const auto span = detail::read_duration(text);
        if (!span) return wrong("\"" + std::string{text} + "\" is no time", "write 30s, 10min or 2h");
        const time_point at = now_ - std::chrono::duration_cast<std::chrono::microseconds>(*span);
        (newer ? found_.enqueued_since : found_.enqueued_before) = at;
        return {};
    }

    time_point now_;
    job_selection found_{};
    std::set<std::string> seen_{};
};

}  // namespace

result<job_selection> parse_search(std::string_view text, time_point now) {
    const auto words = words_of(text);
    reader r{now};
    for (const word& w : words)
        if (auto taken = r.take(w, words.size() == 1); !taken) return taken.error();
    return std::move(r).done();
}

}  // namespace pgq::web
