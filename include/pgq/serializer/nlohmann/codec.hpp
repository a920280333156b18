#pragma once

#include <pgq/detail/type_list.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/serializer/json/base64.hpp>
#include <pgq/serializer/json/options.hpp>
#include <pgq/serializer/json/problem.hpp>
#include <pgq/serializer/json/scalars.hpp>
#include <pgq/serializer/json/secret_values.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Converts values to nlohmann::json and back, for payloads in any format that the library writes.
namespace pgq::serializer::detail {

using dom = ::nlohmann::json;

enum class dom_form : std::uint8_t { text, msgpack };

/// The state of one write or one read. The functions below return false after they have recorded the reason in
/// `problem`.
struct dom_pass {
    json_options options{};
    dom_form form = dom_form::text;
    secret_values secrets = secret_values::conceal;
    json_problem problem{};
    std::size_t depth = 0;

    bool fail(std::string what, errc code = errc::invalid_payload) {
        problem.fail(std::move(what), code);
        return false;
    }
    bool expected(const char* what, const dom& found) {
        return fail(std::string{"expected "} + what + ", found " + found.type_name());
    }
    bool in_element(std::size_t i) { return problem.in_element(i), false; }
    bool in_member(std::string_view name) { return problem.in_member(name), false; }
    bool enter() { return ++depth <= options.max_depth || fail("nested too deeply", errc::too_deep); }
    void leave() noexcept { --depth; }
};

/// Converts a type that can be a member. `parts` are the types that it is made of.
template <class T>
struct dom_codec;

template <class T>
bool to_dom(const T& value, dom& out, dom_pass& pass) {
    if constexpr (pgq::detail::declares_sensitive<T>)
        if (pass.secrets == secret_values::mask) return out = secret_mask, true;
    return dom_codec<T>::write(value, out, pass);
}
template <class T>
bool from_dom(const dom& in, T& out, dom_pass& pass) {
    return dom_codec<T>::read(in, out, pass);
}

/// The namespace of the type has `to_json` and `from_json`, written by hand or by NLOHMANN_DEFINE_TYPE... .
template <class T>
concept has_own_dom_code = requires(dom& out, const dom& in, const T& value, T& read) {
    to_json(out, value);
    from_json(in, read);
};

/// The library, or a specialization of its adl_serializer, converts the type in both directions.
template <class T>
concept has_foreign_dom_code = std::is_class_v<T> && !has_own_dom_code<T> && !adapted<T> &&
                               requires(dom & out, const dom& in, const T& value, T& read) {
    ::nlohmann::adl_serializer<T>::to_json(out, value);
    ::nlohmann::adl_serializer<T>::from_json(in, read);
};

/// Thrown inside a `to_json` of the program.
struct concealed : std::runtime_error {
    concealed() : std::runtime_error{"a sensitive value cannot be written without encryption"} {}
};

/// What this thread does with sensitive values. A `to_json` of the program has no parameter for it.
inline secret_values& thread_secrets() noexcept {
    thread_local secret_values secrets = secret_values::conceal;
    return secrets;
}

template <class T>
    requires(has_own_dom_code<T> || has_foreign_dom_code<T>)
struct dom_codec<T> {
    using parts = type_list<>;

    static bool write(const T& value, dom& out, dom_pass&) {
        if constexpr (has_own_dom_code<T>) to_json(out, value);
        else ::nlohmann::adl_serializer<T>::to_json(out, value);
        return true;
    }
    static bool read(const dom& in, T& out, dom_pass&) {
        if constexpr (has_own_dom_code<T>) from_json(in, out);
        else ::nlohmann::adl_serializer<T>::from_json(in, out);
        return true;
    }
};

/// Any JSON value.
template <>
struct dom_codec<dom> {
    using parts = type_list<>;
    static bool write(const dom& value, dom& out, dom_pass&) { return out = value, true; }
    static bool read(const dom& in, dom& out, dom_pass&) { return out = in, true; }
};

template <>
struct dom_codec<bool> {
    using parts = type_list<>;
    static bool write(bool value, dom& out, dom_pass&) { return out = value, true; }
    static bool read(const dom& in, bool& out, dom_pass& pass) {
        if (!in.is_boolean()) return pass.expected("a boolean", in);
        out = in.get<bool>();
        return true;
    }
};

template <json_integer T>
struct dom_codec<T> {
    using parts = type_list<>;
    static bool write(T value, dom& out, dom_pass&) { return out = value, true; }
    static bool read(const dom& in, T& out, dom_pass& pass) {
        if (in.is_number_unsigned()) return narrow(in.get<std::uint64_t>(), out, pass);
        if (in.is_number_integer()) return narrow(in.get<std::int64_t>(), out, pass);
        return pass.expected("an integer", in);
    }

private:
    template <class Wide>
    static bool narrow(Wide wide, T& out, dom_pass& pass) {
        if (!std::in_range<T>(wide)) return pass.fail("the number does not fit");
        out = static_cast<T>(wide);
        return true;
    }
};

/// JSON has no infinite numbers and no NaN. In JSON they are the strings "Infinity", "-Infinity" and "NaN".
template <json_float T>
struct dom_codec<T> {
    using parts = type_list<>;
    using limits = std::numeric_limits<T>;

    static bool write(T value, dom& out, dom_pass& pass) {
        const bool finite = value - value == 0;
        if (finite || pass.form == dom_form::msgpack) out = static_cast<double>(value);
        else out = value != value ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        return true;
    }
    static bool read(const dom& in, T& out, dom_pass& pass) {
        if (in.is_string()) return read_not_finite_text(in.get_ref<const std::string&>(), out, pass);
        if (!in.is_number()) return pass.expected("a number", in);
        const double wide = in.get<double>();
        const bool finite = wide - wide == 0;
        if (finite && (wide > static_cast<double>(limits::max()) || wide < static_cast<double>(limits::lowest())))
            return pass.fail("the number does not fit");
        out = static_cast<T>(wide);
        return true;
    }

private:
    static bool read_not_finite_text(const std::string& text, T& out, dom_pass& pass) {
        if (text == "NaN") return out = limits::quiet_NaN(), true;
        if (text == "Infinity") return out = limits::infinity(), true;
        if (text == "-Infinity") return out = -limits::infinity(), true;
        return pass.fail("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"");
    }
};

/// Written as the underlying number, unless the program defines another form (NLOHMANN_JSON_SERIALIZE_ENUM).
template <json_enum T>
    requires(!has_own_dom_code<T>)
struct dom_codec<T> {
    using parts = type_list<>;
    using underlying = std::underlying_type_t<T>;
    using number = enum_number<T>;

    static bool write(T value, dom& out, dom_pass&) {
        return out = static_cast<number>(static_cast<underlying>(value)), true;
    }
    static bool read(const dom& in, T& out, dom_pass& pass) {
        number wide{};
        if (!from_dom(in, wide, pass)) return false;
        const auto narrow = static_cast<underlying>(wide);
        if (static_cast<number>(narrow) != wide) return pass.fail("the number does not fit");
        out = static_cast<T>(narrow);
        return true;
    }
};

/// In JSON, the text must be UTF-8. In MessagePack, it may contain any bytes.
template <>
struct dom_codec<std::string> {
    using parts = type_list<>;
    static bool write(const std::string& value, dom& out, dom_pass& pass) {
        if (pass.form == dom_form::text && !pgq::detail::is_valid_utf8(value))
            return pass.fail("the text is not UTF-8", errc::invalid_text);
        return out = value, true;
    }
    static bool read(const dom& in, std::string& out, dom_pass& pass) {
        if (!in.is_string()) return pass.expected("a string", in);
        out = in.get_ref<const std::string&>();
        return true;
    }
};

/// Base 64 text in JSON, binary in MessagePack.
template <>
struct dom_codec<std::vector<std::byte>> {
    using parts = type_list<>;
    static bool write(const std::vector<std::byte>& value, dom& out, dom_pass& pass) {
        if (pass.form == dom_form::text) {
            std::string text;
            append_base64(text, value);
            return out = std::move(text), true;
        }
        const auto* const first = reinterpret_cast<const std::uint8_t*>(value.data());
        return out = dom::binary(std::vector<std::uint8_t>(first, first + value.size())), true;
    }
    static bool read(const dom& in, std::vector<std::byte>& out, dom_pass& pass) {
        if (in.is_binary()) {
            const auto& bytes = in.get_binary();
            const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
            return out.assign(first, first + bytes.size()), true;
        }
        if (pass.form == dom_form::msgpack) return pass.expected("bytes", in);
        if (!in.is_string()) return pass.expected("base 64 text", in);
        const auto& text = in.get_ref<const std::string&>();
        out.resize(base64_size(text));
        return read_base64(text, out) || pass.fail("expected base 64 text");
    }
};

template <class T>
struct dom_codec<sensitive<T>> {
    using parts = type_list<T>;
    static bool write(const sensitive<T>& value, dom& out, dom_pass& pass) {
        if (pass.secrets == secret_values::mask) return out = secret_mask, true;
        if (pass.secrets != secret_values::reveal) return pass.fail(concealed{}.what());
        if (to_dom(value.reveal(), out, pass)) return true;
        return pass.problem.redact(), false;
    }
    static bool read(const dom& in, sensitive<T>& out, dom_pass& pass) {
        if (from_dom(in, out.reveal(), pass)) return true;
        return pass.problem.redact(), false;
    }
};

}  // namespace pgq::serializer::detail

/// For a `to_json` or `from_json` of the program that converts a sensitive member. Under `encrypted`, the value is
/// written. Anywhere else this throws, so that a program cannot put the value into a log by accident.
template <class T>
struct nlohmann::adl_serializer<pgq::sensitive<T>> {
    template <class Json>
    static void to_json(Json& out, const pgq::sensitive<T>& value) {
        using pgq::serializer::secret_values;
        const secret_values secrets = pgq::serializer::detail::thread_secrets();
        if (secrets == secret_values::conceal) throw pgq::serializer::detail::concealed{};
        if (secrets == secret_values::mask) out = pgq::serializer::secret_mask;
        else out = value.reveal();
    }
    template <class Json>
    static void from_json(const Json& in, pgq::sensitive<T>& out) {
        in.get_to(out.reveal());
    }
};
