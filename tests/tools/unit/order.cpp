#include "order.hpp"

#include <catch2/catch.hpp>

#include <string>
#include <variant>

using namespace pgq;
using web::parse_order;

namespace {

template <class Order>
Order read(const char* path, const char* body) {
    return std::get<Order>(parse_order(path, body).value());
}

}  // namespace

TEST_CASE("an action is on ids or on a search", "[web][order]") {
    const auto ids = read<web::act_order>("/api/act", R"({"action":"run-now","ids":["7","9007199254740993"]})");
    CHECK(ids.what == job_action::run_now);
    CHECK(ids.ids == std::vector<job_id>{{7}, {9007199254740993}});
    CHECK_FALSE(ids.search);
    const auto all = read<web::act_order>("/api/act", R"({"action":"drop","q":"state:held","preview":true})");
    CHECK(all.search == "state:held");
    CHECK(all.preview);
    CHECK(read<web::act_order>("/api/act", R"({"action":"cancel","q":"","all":true})").search == "");
}

TEST_CASE("an order that is not whole is refused", "[web][order]") {
    for (const char* wrong : {"", "[]", "null", "{", "{\"action\":\"drop\"}", "{\"action\":\"drop\",\"q\":\"\"}",
                              "{\"action\":\"x\",\"ids\":[\"1\"]}", "{\"action\":\"drop\",\"ids\":[\"1\"],\"q\":\"x\"}",
                              "{\"action\":\"drop\",\"ids\":[1]}", "{\"action\":\"drop\",\"ids\":[]}",
                              "{\"action\":\"drop\",\"ids\":[\"-1\"]}", "{\"action\":\"move\",\"ids\":[\"1\"]}",
                              "{\"action\":7,\"ids\":[\"1\"]}", "{\"action\":\"drop\",\"q\":\"x\\u0000\"}x",
                              "{\"action\":\"drop\",\"q\":\"x\",\"preview\":1}"}) {
        INFO(wrong);
        CHECK(parse_order("/api/act", wrong).error() == errc::invalid_option);
    }
    CHECK_FALSE(parse_order("/api/pause", R"({"kind":"paused","reason":"x"})"));
    CHECK_FALSE(parse_order("/api/pause", R"({"queue":"a","kind":"paused"})"));
    CHECK_FALSE(parse_order("/api/resume", "{}"));
    CHECK_FALSE(parse_order("/api/schedule", R"({"queue":"a","name":"b","change":"remove"})"));
    CHECK_FALSE(parse_order("/api/limit", R"({"queue":"a","kind":"running"})"));
    CHECK_FALSE(parse_order("/api/limit", R"({"queue":"a","kind":"running","amount":1,"per":"1s"})"));
    CHECK_FALSE(parse_order("/api/limit", R"({"queue":"a","kind":"rate","amount":2147483648})"));
    CHECK_FALSE(parse_order("/api/forget", R"({"worker":"1"})"));
}

TEST_CASE("the log says what an order is", "[web][order]") {
    const auto said = [](const char* path, const char* body) { return describe(parse_order(path, body).value()); };
    CHECK(said("/api/act", R"({"action":"requeue","ids":["7","8"]})") == "requeue ids=7,8");
    CHECK(said("/api/act", R"({"action":"move","q":"a\nb","to_queue":"x","to_entrypoint":"y"})") ==
          R"(move q="a\nb" to_queue="x" to_entrypoint="y")");
    CHECK(said("/api/pause", R"({"all":true,"kind":"draining","reason":"why"})") == R"(drain all reason="why")");
    CHECK(said("/api/resume", R"({"queue":"a"})") == R"(resume queue="a")");
    CHECK(said("/api/schedule", R"({"queue":"a","name":"b","change":"fire"})") ==
          R"(fire-schedule queue="a" name="b")");
    CHECK(said("/api/limit", R"({"queue":"a","kind":"rate","amount":5,"per":"2s","burst":3})") ==
          R"(set-limit queue="a" kind=rate number=0 amount=5 burst=3 per=2s)");
    CHECK(said("/api/forget", R"({"worker":3,"force":true})") == "forget-worker worker=3 forced");
}
