#pragma once

#include <pgq/fwd.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/problem.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace pgq::serializer {

enum class json_kind : std::uint8_t { null, no, yes, number, string, array, object };

/// One value of a parsed payload. The tokens of its elements follow it, so a payload is one flat sequence of tokens.
struct json_token {
    // A constructor, so that emplace_back builds the token in place. Copying a new aggregate causes a store-forwarding
    // stall.
    json_token(json_kind what, const char* from = nullptr, std::size_t count = 0) noexcept
        : text{from}, size{static_cast<std::uint32_t>(count)}, kind{what} {}

    const char* text;        ///< for a string or a number
    std::uint32_t size;      ///< the bytes of `text`, or the number of elements or members
    std::uint32_t span = 1;  ///< the number of tokens up to the next value, including this one
    json_kind kind;
};

/// The state that all values of one payload share.
struct json_reading {
    json_options options{};
    json_problem problem{};
};

struct json_member;
template <class Element>
class json_range;

/// A value of a payload. It is valid only during the read. It is cheap to copy.
class json_value {
public:
    json_value(const json_token& token, json_reading& reading) noexcept : token_{&token}, reading_{&reading} {}

    json_kind kind() const noexcept { return token_->kind; }
    bool is_null() const noexcept { return kind() == json_kind::null; }
    bool is_boolean() const noexcept { return kind() == json_kind::no || kind() == json_kind::yes; }
    bool is_number() const noexcept { return kind() == json_kind::number; }
    bool is_string() const noexcept { return kind() == json_kind::string; }
    bool is_array() const noexcept { return kind() == json_kind::array; }
    bool is_object() const noexcept { return kind() == json_kind::object; }

    bool boolean() const noexcept { return kind() == json_kind::yes; }
    /// The unescaped text of a string, or the digits of a number as they are in the payload.
    std::string_view text() const noexcept { return {token_->text, token_->size}; }
    /// The number of elements of an array, or of members of an object.
    std::size_t size() const noexcept { return token_->size; }

    json_range<json_value> elements() const noexcept;  ///< only for an array
    json_range<json_member> members() const noexcept;  ///< only for an object

    const json_options& options() const noexcept { return reading_->options; }

    // These functions record an error and return false, so that a codec can write `return in.fail(...)`.
    bool fail(std::string what, errc code = errc::invalid_payload) const {
        reading_->problem.fail(std::move(what), code);
        return false;
    }
    /// For example "expected a string, found a number".
    bool expected(const char* what) const { return fail(std::string{"expected "} + what + ", found " + noun()); }
    /// Removes the details of a failure, because they may contain a sensitive value.
    bool redact() const { return reading_->problem.redact(), false; }
    /// Records the place where a nested read failed.
    bool failed_in_element(std::size_t index) const { return reading_->problem.in_element(index), false; }
    bool failed_in_member(std::string_view name) const { return reading_->problem.in_member(name), false; }

private:
    template <class>
    friend class json_range;

    const char* noun() const noexcept {
        switch (kind()) {
        case json_kind::null: return "null";
        case json_kind::no:
        case json_kind::yes: return "a boolean";
        case json_kind::number: return "a number";
        case json_kind::string: return "a string";
        case json_kind::array: return "an array";
        case json_kind::object: return "an object";
        }
        return "something else";
    }

    const json_token* token_;
    json_reading* reading_;
};

/// A member of an object. If the payload has a name twice, both members appear.
struct json_member {
    std::string_view name;
    json_value value;
};

/// The elements of an array, or the members of an object, for a range-`for`.
template <class Element>
class json_range {
public:
    class iterator {
    public:
        iterator(const json_token* at, json_reading* reading) noexcept : at_{at}, reading_{reading} {}
        Element operator*() const noexcept {
            if constexpr (names == 0) return {*at_, *reading_};
            else return {{at_->text, at_->size}, {at_[1], *reading_}};
        }
        iterator& operator++() noexcept {
            at_ += names;
            at_ += at_->span;
            return *this;
        }
        bool operator==(const iterator& other) const noexcept { return at_ == other.at_; }

    private:
        const json_token* at_;
        json_reading* reading_;
    };

    explicit json_range(const json_value& of) noexcept : of_{of} {}
    iterator begin() const noexcept { return {of_.token_ + 1, of_.reading_}; }
    iterator end() const noexcept { return {of_.token_ + of_.token_->span, of_.reading_}; }

private:
    static constexpr int names = std::same_as<Element, json_member> ? 1 : 0;

    json_value of_;
};

inline json_range<json_value> json_value::elements() const noexcept { return json_range<json_value>{*this}; }
inline json_range<json_member> json_value::members() const noexcept { return json_range<json_member>{*this}; }

}  // namespace pgq::serializer
