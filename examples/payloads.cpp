// run:
// Other payload formats: the program's own to_json, MessagePack, and bytes that the program writes.

#include <pgq/driver/memory.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>
#include <pgq/serializer/raw.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace app {

// Has a conversion of nlohmann::json, so needs nothing else.
struct reading {
    static constexpr std::string_view entrypoint = "reading";
    std::string sensor{};
    double value = 0;
    NLOHMANN_DEFINE_TYPE_INTRUSIVE(reading, sensor, value)
};

struct thumbnail {
    static constexpr std::string_view entrypoint = "thumbnail";
    std::string name{};
    std::vector<std::byte> pixels{};
};

struct frame {
    static constexpr std::string_view entrypoint = "frame";
    static pgq::result<frame> from_bytes(std::string_view body);  // or: static frame from_bytes(std::string_view)
    void to_bytes(std::string& out) const;                        // appends; or: pgq::result<void> to_bytes(...)

    std::int32_t number = 0;
};

inline pgq::result<frame> frame::from_bytes(std::string_view body) {
    if (body.size() != 4) return pgq::error_info{pgq::errc::invalid_payload, "a frame has four bytes"};
    frame f;
    for (const char c : body) f.number = f.number * 256 + static_cast<unsigned char>(c);
    return f;
}
inline void frame::to_bytes(std::string& out) const {
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(number >> shift);
}

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::thumbnail, name, pixels);

struct document {
    static constexpr std::string_view entrypoint = "document";
    std::string content{};
};
BOOST_HANA_ADAPT_STRUCT(document, content);

namespace proto {

// As protoc generates it, without an entrypoint.
class greeting {
public:
    const std::string& text() const { return text_; }
    void set_text(std::string text) { text_ = std::move(text); }

    bool SerializeToString(std::string* out) const {
        *out = text_;
        return true;
    }
    bool ParseFromString(const std::string& body) {
        text_ = body;
        return true;
    }

private:
    std::string text_;
};

}  // namespace proto

template <>
struct pgq::job_traits<proto::greeting> {
    static constexpr std::string_view entrypoint = "greeting";
};

using app_queue =
    pgq::queue<pgq::job<app::reading, pgq::serializer::nlohmann>, pgq::job<app::thumbnail, pgq::serializer::msgpack>,
               pgq::job<proto::greeting>, pgq::job<app::frame>, pgq::job<document>, pgq::serializer::raw,
               pgq::driver::memory, pgq::executor::in_place>;

int main() try {
    app_queue jobs;
    jobs.enqueue(app::reading{.sensor = "roof", .value = 21.5}).value();
    jobs.enqueue(app::thumbnail{.name = "cat", .pixels = std::vector(16, std::byte{7})}).value();
    proto::greeting hello;
    hello.set_text("hello");
    jobs.enqueue(hello).value();
    jobs.enqueue(app::frame{.number = 70'000}).value();
    jobs.enqueue(document{.content = "anything"}).value();

    int seen = 0;
    pgq::worker w{jobs,
                  {.until = pgq::run_until::empty},
                  [&](const app::reading& r) { seen += r.value > 21 ? 1 : 0; },
                  [&](const app::thumbnail& t) { seen += t.pixels.size() == 16 ? 1 : 0; },
                  [&](const proto::greeting& g) { seen += g.text() == "hello" ? 1 : 0; },
                  [&](const app::frame& f) { seen += f.number == 70'000 ? 1 : 0; },
                  [&](const document& d) { seen += d.content == "anything" ? 1 : 0; }};
    w.run().value();
    std::printf("%d of 5\n", seen);
    return seen == 5 ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "payloads: %s\n", e.what());
    return 1;
}
