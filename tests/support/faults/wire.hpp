#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace test::faults {

/// A number of the protocol: most significant byte first. Zero if there are too few bytes.
template <class T>
T number_at(std::string_view bytes, std::size_t at = 0) {
    std::uint64_t n = 0;
    if (bytes.size() < at + sizeof(T)) return T{};
    for (std::size_t i = 0; i < sizeof(T); ++i) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
    return static_cast<T>(n);
}

/// Cuts one direction of a connection into messages of the PostgreSQL protocol, from pieces of any size.
class message_reader {
public:
    /// `has_startup`: the first message has no type, because a client sends it.
    explicit message_reader(bool has_startup) : typed_{!has_startup} {}

    /// Calls on_message(type, content, ends) for each message that is complete: it ends behind so many of these bytes.
    /// The type of the first message of a client is zero.
    template <class OnMessage>
    void read(std::string_view bytes, OnMessage on_message) {
        const std::size_t before = held_.size();
        held_ += bytes;
        std::size_t begin = 0;
        for (;;) {
            const std::string_view rest = std::string_view{held_}.substr(begin);
            const std::size_t head = typed_ ? 1 : 0;
            if (rest.size() < head + 4) break;
            const std::size_t length = head + number_at<std::uint32_t>(rest, head);
            if (rest.size() < length) break;
            begin += length;
            on_message(typed_ ? rest[0] : '\0', rest.substr(head + 4, length - head - 4), begin - before);
            typed_ = true;
        }
        held_.erase(0, begin);
    }

private:
    std::string held_{};
    bool typed_;
};

/// What a Bind message binds.
class bind_view {
public:
    explicit bind_view(std::string_view content) : content_{content} {}

    /// Empty for the unnamed statement.
    std::string_view statement() const {
        const std::size_t portal_ends = content_.find('\0');
        const std::size_t ends = content_.find('\0', portal_ends + 1);
        return content_.substr(portal_ends + 1, ends - portal_ends - 1);
    }
    /// The bytes of a parameter; -1 is the last one. Empty if it is NULL, or if there is none.
    std::string_view parameter(int number) const {
        std::size_t at = content_.find('\0', content_.find('\0') + 1) + 1;
        at += 2 + std::size_t{2} * number_at<std::uint16_t>(content_, at);
        const int all = number_at<std::uint16_t>(content_, at);
        const int wanted = number < 0 ? all + number : number;
        at += 2;
        for (int i = 0; i < all; ++i) {
            const auto size = static_cast<std::size_t>(std::max(number_at<std::int32_t>(content_, at), 0));
            at += 4;
            if (i == wanted) return content_.substr(std::min(at, content_.size()), size);
            at += size;
        }
        return {};
    }

private:
    std::string_view content_;
};

/// The first column of a DataRow message. Empty if there is none.
inline std::string_view first_column(std::string_view content) {
    const auto size = number_at<std::int32_t>(content, 2);
    if (number_at<std::int16_t>(content) < 1 || size < 0 || content.size() < 6) return {};
    return content.substr(6, static_cast<std::size_t>(size));
}

/// A setting of a StartupMessage, behind its protocol version.
inline std::string startup_setting(std::string_view content, std::string_view name) {
    for (std::size_t at = 4; at < content.size() && content[at] != '\0';) {
        const std::string_view key = content.data() + at;
        const std::string_view value = content.data() + at + key.size() + 1;
        if (key == name) return std::string{value};
        at += key.size() + value.size() + 2;
    }
    return {};
}

}  // namespace test::faults
