#pragma once

#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/statement/wire.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Commands without a server: what they compose, as text, and answers made by hand for them to read.
namespace test {

namespace pq = pgq::driver::pq;
namespace wire = pgq::statement::wire;

namespace detail {

inline std::string scalar_text(wire::oid type, std::string_view bytes) {
    switch (type) {
    case wire::int2_oid: return std::to_string(wire::load<std::int16_t>(bytes.data()));
    case wire::int4_oid: return std::to_string(wire::load<std::int32_t>(bytes.data()));
    case wire::int8_oid: return std::to_string(wire::load<std::int64_t>(bytes.data()));
    case wire::bool_oid: return bytes[0] != 0 ? "true" : "false";
    case wire::tid_oid: return "@" + std::to_string(wire::load_tid(bytes.data()));
    default: return std::string{bytes};
    }
}
inline std::string parameter_text(wire::oid type, std::string_view bytes) {
    constexpr wire::oid arrays[]{wire::char_array, wire::int2_array,  wire::int4_array, wire::text_array,
                                 wire::tid_array,  wire::bytea_array, wire::int8_array, wire::bool_array};
    bool is_array = false;
    for (const auto a : arrays) is_array = is_array || a == type;
    if (!is_array) return scalar_text(type, bytes);
    wire::array_reader all{bytes};
    std::string out = "{";
    for (std::size_t i = 0, n = all.size(); i < n; ++i) {
        const auto element = all.next();
        out += (i == 0 ? "" : ",") + (all.was_null() ? "null" : scalar_text(all.element_type(), element));
    }
    return out + "}";
}

}  // namespace detail

/// A batch as text, "name(parameter, ...)" for each statement; " + " joins the statements of one transaction, " | "
/// follows it.
inline std::string text_of(const pq::batch& steps) {
    std::string out;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const auto& s = steps[i];
        out += std::string{std::string_view{s.query->name} == "listen" ? s.query->text : s.query->name} + "(";
        for (std::size_t p = 0; p < s.params.size(); ++p) {
            const char* value = s.params.value(p);
            const auto bytes =
                std::string_view{value, value == nullptr ? 0 : static_cast<std::size_t>(s.params.length(p))};
            out +=
                (p == 0 ? "" : ", ") + (value == nullptr ? "null" : detail::parameter_text(s.params.types()[p], bytes));
        }
        out += ")";
        if (i + 1 < steps.size()) out += s.ends_transaction ? " | " : " + ";
        else if (!s.ends_transaction) out += " + ...";
    }
    return out;
}

/// A session of a worker or a client on a connection of its own.
inline pq::session_info own_session() {
    return {.schema_id = 77, .backend = 4711, .max_payload = 1000, .keeps_state = true, .packs = true};
}
/// In a transaction of the caller's.
inline pq::session_info callers_transaction() {
    return {.schema_id = 77,
            .max_payload = 1000,
            .keeps_state = true,
            .in_transaction = true,
            .wakes = pq::wake_timing::with_commit};
}
/// In a transaction that the session has begun.
inline pq::session_info own_transaction() {
    auto info = own_session();
    info.in_transaction = true;
    info.wakes = pq::wake_timing::later;
    return info;
}

/// What a command composes for a session.
template <class Command>
std::string composed(Command&& c, const pq::session_info& info = own_session()) {
    pq::batch steps;
    c.compose(steps, info);
    return text_of(steps);
}

/// A cell of an answer in binary format; nothing is null.
using cell = std::optional<std::string>;
inline constexpr std::nullopt_t null = std::nullopt;

template <std::integral T>
cell binary(T value) {
    std::string out;
    wire::append(out, value);
    return out;
}
inline cell truth(bool value) { return std::string(1, value ? '\1' : '\0'); }
inline cell place(std::uint64_t tid) {
    std::string out;
    wire::append_tid(out, tid);
    return out;
}
/// An array: of numbers, or of texts.
template <class T>
cell array(std::initializer_list<T> elements) {
    std::string out;
    wire::append(out, std::int32_t{elements.size() == 0 ? 0 : 1});
    wire::append(out, std::int32_t{0});
    wire::append(out, wire::text_oid);
    if (elements.size() == 0) return out;
    wire::append(out, static_cast<std::int32_t>(elements.size()));
    wire::append(out, std::int32_t{1});
    for (const T& e : elements) {
        if constexpr (std::integral<T>) {
            wire::append(out, static_cast<std::int32_t>(sizeof e));
            wire::append(out, e);
        } else {
            const std::string_view text{e};
            wire::append(out, static_cast<std::int32_t>(text.size()));
            out += text;
        }
    }
    return out;
}

using row = std::vector<cell>;
/// The answer to peek_next_due at the first moment of 2000, when the first job and the first expiry lie in the past by
/// one and two seconds. `scanned`: the search began at the start.
inline row peeked(cell due, std::chrono::microseconds took, bool scanned) {
    return {std::move(due),
            binary(std::int64_t{3}),
            binary(std::int64_t{0}),
            binary(std::int64_t{-1'000'000}),
            binary(std::int64_t{-2'000'000}),
            binary(std::int64_t{took.count()}),
            truth(scanned)};
}
/// The answer to one statement.
struct reply {
    std::vector<row> rows{};
    std::optional<pgq::error_info> error{};
};
inline reply rows(std::initializer_list<row> all) { return {.rows = all}; }
inline reply failed(std::string_view sqlstate) { return {.error = pgq::error_info{pgq::make_sqlstate(sqlstate)}}; }
inline reply failed(pgq::errc code) { return {.error = pgq::error_info{code}}; }

inline pq::result_ptr made_result(const reply& r) {
    if (r.error) return pq::result_ptr{PQmakeEmptyPGresult(nullptr, PGRES_FATAL_ERROR)};
    pq::result_ptr made{PQmakeEmptyPGresult(nullptr, PGRES_TUPLES_OK)};
    if (r.rows.empty()) return made;
    static char name[] = "column";
    std::vector<PGresAttDesc> columns(
        r.rows[0].size(),
        PGresAttDesc{
            .name = name, .tableid = 0, .columnid = 0, .format = 1, .typid = 0, .typlen = -1, .atttypmod = -1});
    if (PQsetResultAttrs(made.get(), static_cast<int>(columns.size()), columns.data()) == 0) throw std::bad_alloc{};
    for (std::size_t i = 0; i < r.rows.size(); ++i)
        for (std::size_t c = 0; c < columns.size(); ++c) {
            auto value = r.rows[i][c];
            const int length = value ? static_cast<int>(value->size()) : -1;
            if (PQsetvalue(made.get(), static_cast<int>(i), static_cast<int>(c), value ? value->data() : nullptr,
                           length) == 0)
                throw std::bad_alloc{};
        }
    return made;
}

/// Answers the statements of a batch, in their order; those without a reply get an empty one.
inline void answer(pq::batch& steps, const std::vector<reply>& replies) {
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const reply& r = i < replies.size() ? replies[i] : reply{};
        steps[i].reply = made_result(r);
        steps[i].error = r.error;
    }
}

/// What a command reads from these answers.
template <class Command>
auto read(Command&& c, const std::vector<reply>& replies, const pq::session_info& info = own_session()) {
    pq::batch steps;
    c.compose(steps, info);
    answer(steps, replies);
    return c.read(pq::answers{steps});
}

}  // namespace test
