#include <pgq/job/members.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/testing/laws/serializer.hpp>

#include "support/catch.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace laws_serializer_compressed {

namespace compressed_laws {

struct report {
    static constexpr std::string_view entrypoint = "report";
    std::string title = "untitled";
    std::vector<std::string> lines{};
    friend bool operator==(const report&, const report&) = default;
};
struct text {
    std::string content{};
    friend bool operator==(const text&, const text&) = default;
};

pgq::serializer::key_ring ring;

inline std::vector<report> reports() {
    std::vector<report> all{{}, {.title = "short", .lines = {"one"}}, {.title = "long", .lines = {}}};
    for (int i = 0; i < 60; ++i) all.back().lines.push_back("line " + std::to_string(i * i));
    return all;
}

}  // namespace compressed_laws

}  // namespace laws_serializer_compressed

BOOST_HANA_ADAPT_STRUCT(laws_serializer_compressed::compressed_laws::report, title, lines);
BOOST_HANA_ADAPT_STRUCT(laws_serializer_compressed::compressed_laws::text, content);

namespace laws_serializer_compressed {

using namespace pgq;
using namespace compressed_laws;
using laws::check_serializer;
using laws::cut_bodies;

TEST_CASE("serializer::compressed keeps the serializer laws over JSON", "[serializer][laws]") {
    check_serializer(serializer::compressed<serializer::json>{}, reports());
}
TEST_CASE("serializer::compressed keeps the serializer laws when it compresses everything", "[serializer][laws]") {
    constexpr serializer::compression_options all{.min_bytes = 0, .level = 5};
    check_serializer(serializer::compressed<serializer::json, all>{}, reports());
}
TEST_CASE("serializer::compressed keeps the serializer laws over raw bytes", "[serializer][laws]") {
    check_serializer(serializer::compressed<serializer::raw>{},
                     std::vector<text>{{""}, {"short"}, {std::string(3000, '\xff')}}, cut_bodies::may_pass);
}
TEST_CASE("serializer::encrypted keeps the serializer laws over compressed payloads", "[serializer][laws]") {
    ring.use(serializer::secret_key::random("laws"));
    check_serializer(serializer::encrypted<serializer::compressed<serializer::json>, serializer::keys_of<ring>>{},
                     reports());
}

}  // namespace laws_serializer_compressed
