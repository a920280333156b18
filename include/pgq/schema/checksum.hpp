#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace pgq::schema {

/// FNV-1a of what a migration does. Comments and blank space do not count, so a typo in a comment can be corrected
/// after the migration was applied. Literals and quoted identifiers count to the byte. A body between dollar quotes
/// counts as SQL: it is that of a function.
class sql_checksum {
public:
    constexpr explicit sql_checksum(std::string_view sql) noexcept : sql_{sql} {
        while (at_ < sql_.size()) {
            const char c = sql_[at_];
            if (is_blank(c)) separated_ = true, ++at_;
            else if (sees("--")) skip_line();
            else if (sees("/*")) skip_comment();
            else if (c == '\'' || c == '"') take_quoted(c);
            else take(c);
        }
    }

    constexpr std::int64_t value() const noexcept { return static_cast<std::int64_t>(hash_); }

private:
    enum class kind : std::uint8_t { none, word, op, other };

    static constexpr bool is_blank(char c) noexcept {
        return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
    }
    // Of two neighbours of one kind blank space makes two tokens: of `a b`, `- -1`, `'a' 'b'`, `1 .5`.
    static constexpr kind kind_of(char c) noexcept {
        if (std::string_view{"+-*/<>=~!@#%^&|`?:"}.find(c) != std::string_view::npos) return kind::op;
        if (std::string_view{"(),;[]"}.find(c) != std::string_view::npos) return kind::other;
        return kind::word;
    }

    constexpr bool sees(std::string_view what) const noexcept { return sql_.substr(at_, what.size()) == what; }

    constexpr void skip_line() noexcept {
        separated_ = true;
        while (at_ < sql_.size() && sql_[at_] != '\n') ++at_;
    }
    constexpr void skip_comment() noexcept {
        separated_ = true;
        std::size_t depth = 0;
        do {
            const bool opens = sees("/*"), closes = sees("*/");
            if (opens) ++depth;
            if (closes) --depth;
            at_ += opens || closes ? 2 : 1;
        } while (depth != 0 && at_ < sql_.size());
    }
    // A doubled quote ends one text and begins the next. A backslash escapes in E'...' only.
    constexpr void take_quoted(char quote) noexcept {
        const bool escapes = quote == '\'' && !separated_ && at_ > 0 &&
                             (sql_[at_ - 1] == 'E' || sql_[at_ - 1] == 'e') &&
                             (at_ < 2 || kind_of(sql_[at_ - 2]) != kind::word || is_blank(sql_[at_ - 2]));
        take(quote);
        while (at_ < sql_.size() && sql_[at_] != quote) {
            if (escapes && sql_[at_] == '\\' && at_ + 1 < sql_.size()) add(sql_[at_++]);
            add(sql_[at_++]);
        }
        if (at_ < sql_.size()) add(sql_[at_++]);
    }
    constexpr void take(char c) noexcept {
        const kind now = kind_of(c);
        if (separated_ && now == before_ && now != kind::other) add(' ');
        separated_ = false;
        before_ = now;
        add(c);
        ++at_;
    }
    constexpr void add(char c) noexcept { hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211u; }

    std::string_view sql_;
    std::size_t at_ = 0;
    std::uint64_t hash_ = 14695981039346656037u;
    kind before_ = kind::none;
    bool separated_ = false;
};

}  // namespace pgq::schema
