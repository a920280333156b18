#pragma once

#include <pgq/statement/query.hpp>
#include <pgq/statement/wire.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace pgq::statement {

/// The binary parameters of one execution, in one buffer that is reused. Each member that adds a parameter throws
/// std::length_error when there are `max_count` already.
class params {
public:
    static constexpr std::size_t max_count = max_parameters;

    void clear() noexcept {
        buffer_.clear();
        count_ = 0;
    }

    params& number(std::int16_t v) { return scalar(wire::int2_oid, v); }
    params& number(std::int32_t v) { return scalar(wire::int4_oid, v); }
    params& number(std::int64_t v) { return scalar(wire::int8_oid, v); }
    params& boolean(bool v) { return bytes_of(wire::bool_oid, {v ? "\1" : "\0", 1}); }
    params& letter(char v) { return bytes_of(wire::char_oid, {&v, 1}); }
    params& null(wire::oid type) {
        open(type);
        begin_[count_] = end_[count_] = absent;
        ++count_;
        return *this;
    }
    params& text(std::string_view v) { return bytes_of(wire::text_oid, v); }
    params& bytes(std::string_view v) { return bytes_of(wire::bytea_oid, v); }
    params& tid(std::uint64_t place) {
        open(wire::tid_oid);
        wire::append_tid(buffer_, place);
        return close();
    }

    /// An array of `n` elements; `write(buffer, i)` appends the bytes of element `i`.
    template <class Write>
    params& array(wire::oid array_type, wire::oid element_type, std::size_t n, Write write) {
        open(array_type);
        wire::append(buffer_, std::int32_t{n == 0 ? 0 : 1});
        wire::append(buffer_, std::int32_t{0});
        wire::append(buffer_, element_type);
        if (n != 0) {
            wire::append(buffer_, static_cast<std::int32_t>(n));
            wire::append(buffer_, std::int32_t{1});
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::size_t mark = buffer_.size();
            wire::append(buffer_, std::int32_t{0});
            write(buffer_, i);
            const auto length = wire::swapped(static_cast<std::int32_t>(buffer_.size() - mark - 4));
            std::memcpy(buffer_.data() + mark, &length, 4);
        }
        return close();
    }
    template <class Get>
    params& int2s(std::size_t n, Get get) {
        return array(wire::int2_array, wire::int2_oid, n,
                     [&](std::string& out, std::size_t i) { wire::append(out, std::int16_t{get(i)}); });
    }
    template <class Get>
    params& int4s(std::size_t n, Get get) {
        return array(wire::int4_array, wire::int4_oid, n,
                     [&](std::string& out, std::size_t i) { wire::append(out, std::int32_t{get(i)}); });
    }
    template <class Get>
    params& int8s(std::size_t n, Get get) {
        return array(wire::int8_array, wire::int8_oid, n,
                     [&](std::string& out, std::size_t i) { wire::append(out, std::int64_t{get(i)}); });
    }
    template <class Get>
    params& texts(std::size_t n, Get get) {
        return array(wire::text_array, wire::text_oid, n,
                     [&](std::string& out, std::size_t i) { out += std::string_view{get(i)}; });
    }
    template <class Get>
    params& byteas(std::size_t n, Get get) {
        return array(wire::bytea_array, wire::bytea_oid, n,
                     [&](std::string& out, std::size_t i) { out += std::string_view{get(i)}; });
    }
    /// `get` returns an optional; an empty one becomes a null.
    template <class Get>
    params& byteas_or_null(std::size_t n, Get get) {
        return array_or_null(wire::bytea_array, wire::bytea_oid, n, get);
    }
    template <class Get>
    params& texts_or_null(std::size_t n, Get get) {
        return array_or_null(wire::text_array, wire::text_oid, n, get);
    }
    template <class Get>
    params& int8s_or_null(std::size_t n, Get get) {
        std::string number;
        return array_or_null(wire::int8_array, wire::int8_oid, n, [&](std::size_t i) {
            const std::optional<std::int64_t> value = get(i);
            number.clear();
            if (value) wire::append(number, *value);
            return value ? std::optional<std::string_view>{number} : std::nullopt;
        });
    }
    template <class Get>
    params& bools(std::size_t n, Get get) {
        return array(wire::bool_array, wire::bool_oid, n,
                     [&](std::string& out, std::size_t i) { out += get(i) ? '\1' : '\0'; });
    }
    template <class Get>
    params& letters(std::size_t n, Get get) {
        return array(wire::char_array, wire::char_oid, n,
                     [&](std::string& out, std::size_t i) { out += static_cast<char>(get(i)); });
    }
    template <class Get>
    params& tids(std::size_t n, Get get) {
        return array(wire::tid_array, wire::tid_oid, n,
                     [&](std::string& out, std::size_t i) { wire::append_tid(out, std::uint64_t{get(i)}); });
    }

    std::size_t size() const noexcept { return count_; }
    const wire::oid* types() const noexcept { return types_.data(); }
    /// Null for a null.
    const char* value(std::size_t i) const noexcept {
        return begin_[i] == absent ? nullptr : buffer_.data() + begin_[i];
    }
    int length(std::size_t i) const noexcept { return static_cast<int>(end_[i] - begin_[i]); }
    std::size_t total_bytes() const noexcept { return buffer_.size(); }

private:
    static constexpr std::size_t absent = SIZE_MAX;

    template <class Get>
    params& array_or_null(wire::oid array_type, wire::oid element_type, std::size_t n, Get get) {
        open(array_type);
        wire::append(buffer_, std::int32_t{n == 0 ? 0 : 1});
        wire::append(buffer_, std::int32_t{1});
        wire::append(buffer_, element_type);
        if (n != 0) {
            wire::append(buffer_, static_cast<std::int32_t>(n));
            wire::append(buffer_, std::int32_t{1});
        }
        for (std::size_t i = 0; i < n; ++i) {
            const std::optional<std::string_view> value = get(i);
            wire::append(buffer_, value ? static_cast<std::int32_t>(value->size()) : std::int32_t{-1});
            if (value) buffer_ += *value;
        }
        return close();
    }
    void open(wire::oid type) {
        if (count_ == max_count) throw std::length_error{"a statement has more than 25 parameters"};
        types_[count_] = type;
        begin_[count_] = buffer_.size();
    }
    params& close() {
        end_[count_++] = buffer_.size();
        return *this;
    }
    template <class T>
    params& scalar(wire::oid type, T v) {
        open(type);
        wire::append(buffer_, v);
        return close();
    }
    params& bytes_of(wire::oid type, std::string_view v) {
        open(type);
        buffer_ += v;
        return close();
    }

    std::string buffer_;
    std::array<wire::oid, max_count> types_{};
    std::array<std::size_t, max_count> begin_{};
    std::array<std::size_t, max_count> end_{};
    std::size_t count_ = 0;
};

}  // namespace pgq::statement
