// run:
// Three other ways to write a payload: by the program's own to_json, as MessagePack, and as a message that knows its bytes.

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

// Has a conversion already: nothing else is needed.
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

}  // namespace app
BOOST_HANA_ADAPT_STRUCT(app::thumbnail, name, pixels);

namespace proto {

// As protoc would write it, with no entrypoint.
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
               pgq::job<proto::greeting, pgq::serializer::raw>, pgq::driver::memory, pgq::executor::in_place>;

int main() try {
    app_queue jobs;
    jobs.enqueue(app::reading{.sensor = "roof", .value = 21.5}).value();
    jobs.enqueue(app::thumbnail{.name = "cat", .pixels = std::vector(16, std::byte{7})}).value();
    proto::greeting hello;
    hello.set_text("hello");
    jobs.enqueue(hello).value();

    int seen = 0;
    pgq::worker w{jobs,
                  {.until = pgq::run_until::empty},
                  [&](const app::reading& r) { seen += r.value > 21 ? 1 : 0; },
                  [&](const app::thumbnail& t) { seen += t.pixels.size() == 16 ? 1 : 0; },
                  [&](const proto::greeting& g) { seen += g.text() == "hello" ? 1 : 0; }};
    w.run().value();
    std::printf("%d of 3\n", seen);
    return seen == 3 ? 0 : 1;
} catch (const std::exception& e) {
    std::fprintf(stderr, "payloads: %s\n", e.what());
    return 1;
}
