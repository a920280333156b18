#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace test {

/// Parses the bytes that a PostgreSQL client sends, in pieces of any size. Reports the names of executed prepared
/// statements, Sync messages and simple queries. The connection must not be encrypted.
class frontend_reader {
public:
    static constexpr const char* sync = "(sync)";
    static constexpr const char* simple_query = "(simple query)";
    static constexpr const char* unnamed = "(unnamed)";

    template <class OnMessage>
    void read(const std::string& bytes, OnMessage on_message) {
        held_ += bytes;
        for (;;) {
            // The first message has no type byte.
            const std::size_t head = started_ ? 1 : 0;
            if (held_.size() < head + 4) return;
            const std::size_t length = head + number(head);
            if (held_.size() < length) return;
            if (started_) {
                if (held_[0] == 'S') on_message(std::string{sync});
                if (held_[0] == 'Q') on_message(std::string{simple_query});
                if (held_[0] == 'B') on_message(statement_of_bind());
            }
            started_ = true;
            held_.erase(0, length);
        }
    }

private:
    std::size_t number(std::size_t at) const {
        std::size_t n = 0;
        for (std::size_t i = 0; i < 4; ++i) n = n << 8 | static_cast<unsigned char>(held_[at + i]);
        return n;
    }
    // A Bind message contains the portal's name, the statement's name, ...
    std::string statement_of_bind() const {
        const std::size_t portal_ends = held_.find('\0', 5);
        const std::string name = held_.c_str() + portal_ends + 1;
        return name.empty() ? unnamed : name;
    }

    std::string held_;
    bool started_ = false;
};

}  // namespace test
