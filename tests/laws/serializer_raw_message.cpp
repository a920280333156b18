#include <pgq/serializer/raw.hpp>
#include <pgq/testing/laws/serializer.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace laws_serializer_raw_message {

namespace raw_message_laws {

/// A number and a text in the wire format of protocol buffers; only the parts of the format that the test needs.
struct message {
    unsigned number = 0;
    std::string text{};

    bool SerializeToString(std::string* out) const {
        *out = std::string{'\x08', static_cast<char>(number & 127U), '\x12', static_cast<char>(text.size() & 127U)};
        *out += text;
        return true;
    }
    bool ParseFromString(const std::string& body) {
        *this = {};
        if (body.size() < 4 || body[0] != '\x08' || body[2] != '\x12' || (body[1] & '\x80') != 0) return false;
        if (static_cast<std::size_t>(body[3]) != body.size() - 4) return false;
        number = static_cast<unsigned>(body[1]);
        text = body.substr(4);
        return true;
    }
    friend bool operator==(const message&, const message&) = default;
};

}  // namespace raw_message_laws

TEST_CASE("serializer::raw keeps the serializer laws with a message", "[serializer][laws]") {
    pgq::laws::check_serializer(pgq::serializer::raw{},
                                std::vector<raw_message_laws::message>{{}, {1, "one"}, {127, std::string(100, 'x')}});
}

}  // namespace laws_serializer_raw_message
