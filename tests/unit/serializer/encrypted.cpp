#include <pgq/backoff/none.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/json.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/worker.hpp>

#include "support/catch.hpp"

#include <boost/hana/adapt_struct.hpp>

#include <cstddef>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unit_serializer_encrypted {

namespace encrypted_jobs {

struct login {
    static constexpr std::string_view entrypoint = "login";
    std::string user{};
    pgq::sensitive<std::string> password{};
    friend bool operator==(const login&, const login&) = default;
};
struct sign_in {  // the same members with another entrypoint
    static constexpr std::string_view entrypoint = "sign_in";
    std::string user{};
    pgq::sensitive<std::string> password{};
};
struct token {
    static constexpr std::string_view entrypoint = "token";
    pgq::sensitive<std::string> content{};
};
// The job type of an older program, in the lane of `vaults`.
struct old_vaults {
    static constexpr std::string_view entrypoint = "vaults";
    std::map<std::string, std::string> codes{};
};
struct code {
    int digits = 0;
};
struct vaults {
    static constexpr std::string_view entrypoint = "vaults";
    pgq::sensitive<std::map<std::string, code>> codes{};
};
// The version of the same job without a pin.
struct enter_1 {
    static constexpr std::string_view entrypoint = "enter";
    pgq::sensitive<std::string> name{};
};
struct enter {
    static constexpr std::string_view entrypoint = "enter";
    using previous = enter_1;
    static enter from(enter_1&& old) { return {.name = std::move(old.name), .pin = "0000"}; }
    pgq::sensitive<std::string> name{};
    pgq::sensitive<std::string> pin{};
};
struct talkative {
    std::string text{};
};
struct with_talkative {
    static constexpr std::string_view entrypoint = "with_talkative";
    pgq::sensitive<talkative> said{};
};
// Contains a sensitive value in a codec that does not name its parts.
struct sly {
    pgq::sensitive<std::string> text{"swordfish"};
};
struct with_sly {
    static constexpr std::string_view entrypoint = "with_sly";
    sly inside{};
};

}  // namespace encrypted_jobs

}  // namespace unit_serializer_encrypted

BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::login, user, password);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::sign_in, user, password);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::token, content);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::old_vaults, codes);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::vaults, codes);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::with_talkative, said);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::with_sly, inside);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::code, digits);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::enter_1, name);
BOOST_HANA_ADAPT_STRUCT(unit_serializer_encrypted::encrypted_jobs::enter, name, pin);

template <>
struct pgq::codec<unit_serializer_encrypted::encrypted_jobs::talkative> {
    static void write(const unit_serializer_encrypted::encrypted_jobs::talkative& t,
                      pgq::serializer::json_writer& out) {
        if (t.text == "unwritable") return out.fail("cannot write " + t.text);
        out.string(t.text);
    }
    static bool read(pgq::serializer::json_value in, unit_serializer_encrypted::encrypted_jobs::talkative& t) {
        t.text = in.text();
        return t.text != "unreadable" || in.fail("cannot read " + t.text);
    }
};
template <>
struct pgq::codec<unit_serializer_encrypted::encrypted_jobs::sly> {
    static void write(const unit_serializer_encrypted::encrypted_jobs::sly& s, pgq::serializer::json_writer& out) {
        pgq::serializer::encode(s.text, out);
    }
    static bool read(pgq::serializer::json_value in, unit_serializer_encrypted::encrypted_jobs::sly& s) {
        return pgq::serializer::decode(in, s.text);
    }
};

namespace unit_serializer_encrypted {

using namespace pgq;
using namespace encrypted_jobs;
using serializer::encrypted;
using serializer::json;
using serializer::key_ring;
using serializer::keys_of;
using serializer::secret_key;

namespace rings {

key_ring producer;
key_ring worker;

}  // namespace rings

namespace {

using sealing = encrypted<json, keys_of<rings::producer>>;
using opening = encrypted<json, keys_of<rings::worker>>;

const secret_key a = secret_key::random("a");
const secret_key b = secret_key::random("b");

/// Both programs have key a.
struct fresh_rings {
    fresh_rings() {
        forget_all();
        rings::producer.use(a);
        rings::worker.use(a);
    }
    ~fresh_rings() { forget_all(); }
    static void forget_all() {
        for (auto* ring : {&rings::producer, &rings::worker})
            for (const auto* id : {"a", "b"}) ring->forget(id);
    }
};

template <class S = sealing, class Job>
std::string sealed(const Job& job) {
    std::string out;
    S{}.write(job, out).value();
    return out;
}

template <class Job, class S = opening>
std::string describe_errors(std::string_view body) {
    Job job;
    const auto read = S{}.read(body, job);
    REQUIRE_FALSE(read);
    CHECK(read.error() == errc::invalid_payload);
    return read.error().text();
}

bool shows(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

const login ada{.user = "ada", .password = "engine"};

}  // namespace

TEST_CASE("an encrypted payload contains nothing of the plain text", "[serializer][encrypted]") {
    const fresh_rings known;
    const std::string body = sealed(ada);
    for (const auto* part : {"ada", "engine", "user", "password", "login"}) CHECK_FALSE(shows(body, part));
    login read;
    REQUIRE(opening{}.read(body, read));
    CHECK(read == ada);
}

TEST_CASE("encryption adds 42 bytes and the key's id to a payload", "[serializer][encrypted]") {
    const fresh_rings known;
    CHECK(sealed(ada).size() == std::string_view{R"({"user":"ada","password":"engine"})"}.size() + 42 + 1);
}

TEST_CASE("two encryptions of one job are different", "[serializer][encrypted]") {
    const fresh_rings known;
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) seen.insert(sealed(ada));
    CHECK(seen.size() == 100);
}

TEST_CASE("a payload cannot be decrypted if any byte has changed", "[serializer][encrypted]") {
    const fresh_rings known;
    const std::string body = sealed(ada);
    for (std::size_t i = 0; i < body.size(); ++i) {
        std::string changed = body;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        INFO("byte " << i);
        CHECK_FALSE(shows(describe_errors<login>(changed), "engine"));
    }
}

TEST_CASE("a payload cannot be decrypted for another entrypoint", "[serializer][encrypted]") {
    const fresh_rings known;
    CHECK(shows(describe_errors<sign_in>(sealed(ada)), "belongs to another entrypoint"));
}

TEST_CASE("the error for an unknown key names the key", "[serializer][encrypted]") {
    const fresh_rings known;
    rings::producer.use(b);
    CHECK(describe_errors<login>(sealed(ada)) ==
          "the payload was encrypted with key 'b', which this program does not have; add that key, then requeue the "
          "job");
}

TEST_CASE("a payload cannot be decrypted with another key of the same id", "[serializer][encrypted]") {
    const fresh_rings known;
    const std::string body = sealed(ada);
    rings::worker.use(secret_key::random("a"));
    CHECK(shows(describe_errors<login>(body), "cannot be decrypted with key 'a'"));
}

TEST_CASE("an error shows no unprintable bytes of a key's id", "[serializer][encrypted]") {
    const fresh_rings known;
    std::string body = sealed(ada);
    body[2] = '\n';
    CHECK(shows(describe_errors<login>(body), "key '?'"));
}

TEST_CASE("a payload that is not encrypted is an error", "[serializer][encrypted]") {
    const fresh_rings known;
    CHECK(shows(describe_errors<login>(R"({"user":"ada","password":"engine"})"), "is not encrypted"));
    CHECK(shows(describe_errors<login>(""), "is not encrypted"));
}

TEST_CASE("after a key rotation, payloads of the old key are readable until it is removed", "[serializer][encrypted]") {
    const fresh_rings known;
    const std::string old = sealed(ada);
    rings::worker.add(b);
    rings::producer.use(b);
    const std::string recent = sealed(ada);
    login read;
    CHECK(opening{}.read(old, read));
    CHECK(opening{}.read(recent, read));
    rings::worker.forget("a");
    CHECK(shows(describe_errors<login>(old), "key 'a'"));
    CHECK(opening{}.read(recent, read));
}

TEST_CASE("adding a key does not change the key for writing", "[serializer][encrypted]") {
    const fresh_rings known;
    rings::producer.add(b);
    REQUIRE(rings::producer.current());
    CHECK(rings::producer.current()->id() == "a");
    rings::producer.forget("a");
    CHECK_FALSE(rings::producer.current());
}

TEST_CASE("writing without a key is an error", "[serializer][encrypted]") {
    const fresh_rings known;
    rings::producer.forget("a");
    std::string out = "before";
    const auto wrote = sealing{}.write(ada, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_option);
    CHECK(out == "before");
}

TEST_CASE("a key has 32 bytes and an id", "[serializer][encrypted]") {
    const std::string digits(64, 'f');
    REQUIRE(secret_key::from_hex("2026-01", digits));
    CHECK(secret_key::from_hex("2026-01", digits)->id() == "2026-01");
    CHECK(secret_key::from_hex("2026-01", digits)->data()[31] == 0xff);
    for (const std::string& wrong : {std::string{}, digits.substr(2), digits + "00", digits.substr(1) + "x",
                                     digits.substr(1), "0x" + digits.substr(2)}) {
        const auto made = secret_key::from_hex("k", wrong);
        REQUIRE_FALSE(made);
        CHECK(made.error() == errc::invalid_option);
        if (!wrong.empty()) CHECK_FALSE(shows(made.error().text(), wrong));
    }
    for (const std::string& id : {std::string{}, std::string(65, 'k'), std::string{"a b"}, std::string{"\xc3\xa9"}})
        CHECK_FALSE(secret_key::from_hex(id, digits));
}

TEST_CASE("encrypted works with raw bytes", "[serializer][encrypted]") {
    const fresh_rings known;
    using bytes = encrypted<serializer::raw, keys_of<rings::producer>>;
    const std::string body = sealed<bytes>(token{.content = "engine"});
    CHECK_FALSE(shows(body, "engine"));
    token read;
    REQUIRE(bytes{}.read(body, read));
    CHECK(read.content.reveal() == "engine");
}

TEST_CASE("an encrypted payload of a previous version can be read", "[serializer][encrypted][versioned]") {
    const fresh_rings known;
    using versions = serializer::versioned<sealing>;
    static_assert(encrypting_serializer<versions>);
    const std::string body = sealed<versions>(enter_1{.name = "ada"});
    enter read;
    REQUIRE(versions{}.read(body, read, 1));
    CHECK(read.name.reveal() == "ada");
    CHECK(read.pin.reveal() == "0000");
}

TEST_CASE("after a failed write, the buffer contains no plain text", "[serializer][encrypted]") {
    const fresh_rings known;
    std::string out;
    const auto wrote = sealing{}.write(login{.user = "ada lovelace", .password = "\xff"}, out);
    REQUIRE_FALSE(wrote);
    CHECK(wrote.error() == errc::invalid_text);
    CHECK_FALSE(shows(out, "lovelace"));
}

TEST_CASE("an error inside a sensitive value names the member, but nothing inside it", "[serializer][encrypted]") {
    const fresh_rings known;
    const auto text = describe_errors<vaults>(sealed(old_vaults{.codes = {{"vault seven", "1234"}}}));
    CHECK(text == "$.codes: an invalid value for a sensitive member; let the producer write what this job type reads");
}

TEST_CASE("the error of a codec for a sensitive value is not shown", "[serializer][encrypted]") {
    const fresh_rings known;
    CHECK_FALSE(
        shows(describe_errors<with_talkative>(sealed(with_talkative{.said = talkative{"unreadable"}})), "unreadable"));
    std::string out;
    const auto wrote = sealing{}.write(with_talkative{.said = talkative{"unwritable"}}, out);
    REQUIRE_FALSE(wrote);
    CHECK_FALSE(shows(wrote.error().text(), "unwritable"));
}

TEST_CASE("writing fails for a sensitive value that the compiler cannot see", "[serializer][encrypted]") {
    const fresh_rings known;
    std::string out;
    const auto wrote = json{}.write(with_sly{}, out);
    REQUIRE_FALSE(wrote);
    CHECK_FALSE(shows(out, "swordfish"));
    with_sly read{.inside = {""}};
    REQUIRE(opening{}.read(sealed(with_sly{}), read));
    CHECK(read.inside.text.reveal() == "swordfish");
}

TEST_CASE("a job whose key is missing is held, and runs after the key is added", "[serializer][encrypted]") {
    const fresh_rings known;
    rings::producer.use(b);
    using jobs_of = queue<login, driver::memory, opening, executor::in_place, backoff::none>;
    using enqueues = queue<login, driver::memory, sealing, executor::in_place, backoff::none>;
    const driver::memory database;
    enqueues producer{database};
    jobs_of consumer{database};
    const auto id = producer.enqueue(ada).value();

    std::vector<login> ran;
    const auto work = [&] {
        worker w{consumer, {.until = run_until::empty}, [&](const login& l) { ran.push_back(l); }};
        w.run().value();
    };
    work();
    CHECK(ran.empty());
    const auto held = consumer.held<login>().value();
    REQUIRE(held.size() == 1);
    CHECK(shows(held[0].reason, "encrypted with key 'b', which this program does not have"));

    rings::worker.add(b);
    REQUIRE(consumer.requeue(id).value() == 1);
    work();
    REQUIRE(ran.size() == 1);
    CHECK(ran[0] == ada);
}

}  // namespace unit_serializer_encrypted
