#include <pgq/cli/payload/typed_payloads.hpp>
#include <pgq/client.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/msgpack.hpp>
#include <pgq/serializer/nlohmann.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/serializer/versioned.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_cli_payload {

namespace payload_jobs {

struct mail {
    static constexpr std::string_view entrypoint = "mail";
    std::string to{};
    int copies = 1;
    std::optional<std::string> note{};
};
struct resize_1 {
    static constexpr std::string_view entrypoint = "resize";
    static constexpr std::string_view version = "1";
    std::string path{};
};
struct resize {
    static constexpr std::string_view entrypoint = "resize";
    static constexpr std::string_view version = "2";
    using previous = resize_1;
    static resize from(resize_1&& old) { return {.path = std::move(old.path), .edge = 256}; }
    std::string path{};
    int edge = 0;
};
// A type with a codec of its own, which hides that the value is a secret.
struct pin {
    static constexpr bool is_sensitive = true;
    int digits = 0;
};
struct account {
    static constexpr std::string_view entrypoint = "account";
    std::string user{};
    pgq::sensitive<std::string> password{};
    std::vector<pgq::sensitive<std::string>> answers{};
    pin code{};
};
struct blob {
    static constexpr std::string_view entrypoint = "blob";
    std::string bytes{};
};
// A type that only its own functions write.
struct point {
    static constexpr std::string_view entrypoint = "point";
    int x = 0;
    pgq::sensitive<std::string> name{};
};
void to_json(nlohmann::json& out, const point& p) { out = {{"at", p.x}, {"name", p.name}}; }
void from_json(const nlohmann::json& in, point& p) {
    p.x = in.at("at").get<int>();
    in.at("name").get_to(p.name);
}
struct tree {
    static constexpr std::string_view entrypoint = "tree";
    std::vector<tree> branches{};
};
struct own_bytes {
    static constexpr std::string_view entrypoint = "own_bytes";
    static own_bytes from_bytes(std::string_view) { return {}; }
    void to_bytes(std::string& out) const { out += "bytes"; }
};

pgq::serializer::key_ring keys;

}  // namespace payload_jobs

}  // namespace unit_cli_payload

BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::mail, to, copies, note);
BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::resize_1, path);
BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::resize, path, edge);
BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::account, user, password, answers, code);
BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::blob, bytes);
BOOST_HANA_ADAPT_STRUCT(unit_cli_payload::payload_jobs::tree, branches);

template <>
struct pgq::codec<unit_cli_payload::payload_jobs::pin> {
    using pin = unit_cli_payload::payload_jobs::pin;
    static void write(const pin& value, pgq::serializer::json_writer& out) { out.integer(value.digits); }
    static bool read(pgq::serializer::json_value in, pin& out) { return pgq::serializer::decode(in, out.digits); }
};

namespace unit_cli_payload {

using namespace payload_jobs;
using pgq::cli::typed_payloads;

template <class Inner>
using sealed = pgq::serializer::encrypted<Inner, pgq::serializer::keys_of<keys>>;
using some_queue =
    pgq::queue<pgq::driver::memory, pgq::serializer::json, mail,
               pgq::job<resize, pgq::serializer::versioned<sealed<pgq::serializer::json>>>,
               pgq::job<account, sealed<pgq::serializer::compressed<
                                     pgq::serializer::json, pgq::serializer::compression_options{.min_bytes = 10}>>>,
               pgq::job<blob, pgq::serializer::raw>, pgq::job<point, sealed<pgq::serializer::msgpack>>,
               pgq::job<own_bytes, pgq::serializer::raw>>;
using payloads = typed_payloads<some_queue>;

namespace {

pgq::listed_lane lane(std::string entrypoint, std::string version = {}) {
    pgq::listed_lane l;
    l.queue = "any";
    l.entrypoint = std::move(entrypoint);
    l.version = std::move(version);
    return l;
}

template <class Job>
std::string written(const Job& job) {
    std::string body;
    typename some_queue::composition_type::serializer_of<Job>{}.write(job, body).value();
    return body;
}

void use_key(const char* id) { keys.use(pgq::serializer::secret_key::from_hex(id, std::string(64, '7')).value()); }

template <class Job>
std::string error_of(std::string_view json, bool defaults = false) {
    Job job{};
    const auto got = payloads::read(json, defaults, job);
    return got ? "no error" : got.error().message + "; " + got.error().hint;
}

}  // namespace

TEST_CASE("a stored job is shown as JSON by its entrypoint and version", "[cli][payload]") {
    CHECK(payloads::decode(lane("mail"), written(mail{"ada", 2})) == R"({"to":"ada","copies":2,"note":null})");
    CHECK(payloads::decode(lane("mail"), R"({"to":"ada","later":1})") == R"({"to":"ada","copies":1,"note":null})");
    CHECK(payloads::decode(lane("blob"), "any text") == R"({"bytes":"any text"})");
}

TEST_CASE("a payload that the program cannot read is not shown", "[cli][payload]") {
    CHECK_FALSE(payloads::decode(lane("mails"), "{}"));
    CHECK_FALSE(payloads::decode(lane("mail", "3"), "{}"));
    CHECK_FALSE(payloads::decode(lane("mail"), R"({"to":)"));
    CHECK_FALSE(payloads::decode(lane("own_bytes"), "bytes"));
}

TEST_CASE("a former version is shown as the present job type", "[cli][payload]") {
    use_key("july");
    std::string old;
    sealed<pgq::serializer::json>{}.write(resize_1{"cat.jpg"}, old).value();
    CHECK(payloads::decode(lane("resize", "1"), old) == R"({"path":"cat.jpg","edge":256})");
    CHECK(payloads::decode(lane("resize", "2"), written(resize{"cat.jpg", 7})) == R"({"path":"cat.jpg","edge":7})");
    CHECK_FALSE(payloads::decode(lane("resize", "3"), old));
    CHECK_FALSE(payloads::decode(lane("resize"), old));
}

TEST_CASE("an encrypted payload is shown without its sensitive members", "[cli][payload]") {
    use_key("july");
    const std::string body =
        written(account{.user = std::string(40, 'a'), .password = "s", .answers = {"x"}, .code = {7}});
    CHECK(payloads::decode(lane("account"), body) ==
          R"({"user":")" + std::string(40, 'a') + R"(","password":"***","answers":["***"],"code":"***"})");
    CHECK(payloads::decode(lane("point"), written(point{.x = 3, .name = "n"})) == R"({"at":3,"name":"***"})");

    keys.use(pgq::serializer::secret_key::random("august"));
    keys.forget("july");
    CHECK_FALSE(payloads::decode(lane("account"), body));
}

TEST_CASE("a job of a person has the limits of its serializer", "[cli][payload]") {
    constexpr pgq::serializer::json_options small{.max_depth = 1, .max_bytes = 30};
    using small_payloads = typed_payloads<pgq::queue<pgq::driver::memory, tree, pgq::serializer::basic_json<small>>>;
    tree job{};
    CHECK(small_payloads::read(R"({"branches":[]})", false, job).error() == pgq::errc::too_deep);
    CHECK(small_payloads::read(std::string(31, ' '), false, job).error() == pgq::errc::payload_too_large);
}

TEST_CASE("a job that a person writes has the members of its type", "[cli][payload]") {
    mail job{};
    REQUIRE(payloads::read(R"({"copies": 3, "to": "ada"})", false, job));
    CHECK((job.to == "ada" && job.copies == 3 && !job.note));
    REQUIRE(payloads::read(R"({"to": "ada"})", true, job));
    CHECK(job.copies == 1);
    point p{};
    REQUIRE(payloads::read(R"({"at": 4, "name": "secret"})", false, p));
    CHECK((p.x == 4 && p.name.reveal() == "secret"));
}

TEST_CASE("an error about a job that a person writes names the member and the remedy", "[cli][payload]") {
    const std::string members = R"(the members of this job are "to", "copies", "note")";
    CHECK(error_of<mail>(R"({"to": "ada", "copy": 2})") == "$.copy: the job type has no such member; " + members);
    CHECK(error_of<mail>(R"({"to": "ada", "copy": 2})", true) == "$.copy: the job type has no such member; " + members);
    CHECK(error_of<mail>(R"({"to": "ada"})") ==
          "$.copies: the payload lacks it; " + members + "; --defaults leaves out those that have a default");
    CHECK(error_of<mail>(R"({"to": 7, "copies": 2})") == "$.to: expected a string, found a number; " + members);
    CHECK(error_of<mail>(R"({"to": "ada", "copies": 2} x)") ==
          "$: not JSON at byte 27: extra bytes after the value; give one JSON object, for a shell in single quotes: "
          "'{...}'");
    CHECK(
        error_of<account>(R"({"user": "a", "password": 7, "answers": [], "code": 1})").find("$.password: an invalid") ==
        0);
    CHECK(error_of<point>("{}").find("write what its own code reads") != std::string::npos);
}

TEST_CASE("the job type of an entrypoint is found by its name", "[cli][payload]") {
    std::string found;
    const auto look = [&]<class Job>() { found = pgq::entrypoint_of<Job>; };
    CHECK(payloads::with_job_of("resize", look));
    CHECK(found == "resize");
    CHECK_FALSE(payloads::with_job_of("resiz", look));
    CHECK(payloads::has_text<mail>);
    CHECK_FALSE(payloads::has_text<own_bytes>);
}

}  // namespace unit_cli_payload
