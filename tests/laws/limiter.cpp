#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/limiter/rate.hpp>
#include <pgq/testing/laws/limiter.hpp>

#include "support/catch.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace laws_limiter {

using namespace pgq;
using namespace std::chrono_literals;

namespace {

enum class color { red, green };
struct order {
    std::string customer{};
    std::int64_t number = 0;
    bool urgent = false;
    color what = color::red;
};

}  // namespace

TEST_CASE("limiter::rate keeps the limiter laws", "[limiter][laws]") {
    laws::check_admission<limiter::rate<50>>([] { return limiter::rate<50>{}; });
    laws::check_admission<limiter::rate<1, std::chrono::hours, 7>>(
        [] { return limiter::rate<1, std::chrono::hours, 7>{}; });
    laws::check_admission<limiter::rate<>>([] { return limiter::rate<>{3, 10ms, 2}; });
}

TEST_CASE("limiter::concurrency keeps the limiter laws", "[limiter][laws]") {
    laws::check_admission<limiter::concurrency<4>>([] { return limiter::concurrency<4>{}; });
    laws::check_admission<limiter::concurrency<>>([] { return limiter::concurrency<>{1}; });
    laws::check_admission<limiter::concurrency<>>(
        [] { return limiter::concurrency<>{}; });  // without a number there is no limit
}

TEST_CASE("limiter::all_of keeps the limiter laws", "[limiter][laws]") {
    using both = limiter::all_of<limiter::concurrency<3>, limiter::rate<100>>;
    using all = limiter::all_of<both, limiter::global_rate<5>, limiter::global_rate<100, std::chrono::hours>,
                                limiter::global_concurrency<2>, limiter::serialized_by<&order::number>>;
    laws::check_admission<both>([] { return both{}; });
    laws::check_admission<all>([] { return all{}; });
    laws::check_declaration<all>([] { return all{}; });
    laws::check_keys<all>(std::vector<order>{{.number = 1}, {.number = -1}, {.number = 11}});
}

TEST_CASE("limiters for all workers together keep the limiter laws", "[limiter][laws]") {
    laws::check_declaration<limiter::none>([] { return limiter::none{}; });
    laws::check_declaration<limiter::global_rate<100>>([] { return limiter::global_rate<100>{}; });
    laws::check_declaration<limiter::global_rate<>>([] { return limiter::global_rate<>{-5, duration{}, 0}; });
    laws::check_declaration<limiter::global_concurrency<3>>([] { return limiter::global_concurrency<3>{}; });
    laws::check_declaration<limiter::global_concurrency<>>([] { return limiter::global_concurrency<>{0}; });
    laws::check_declaration<limiter::serialized>([] { return limiter::serialized{}; });
    laws::check_declaration<limiter::serialized_by<&order::number>>(
        [] { return limiter::serialized_by<&order::number>{}; });
}

TEST_CASE("limiters by key keep the limiter laws with each type of key", "[limiter][laws]") {
    laws::check_keys<limiter::serialized_by<&order::customer>>(
        std::vector<order>{{.customer = ""}, {.customer = "Ada"}, {.customer = "\u00c4da'"}});
    laws::check_keys<limiter::concurrency_by<&order::number, 3>>(
        std::vector<order>{{.number = INT64_MIN}, {.number = 0}, {.number = INT64_MAX}});
    laws::check_keys<limiter::serialized_by<&order::urgent>>(std::vector<order>{{.urgent = true}, {.urgent = false}});
    laws::check_keys<limiter::serialized_by<&order::what>>(
        std::vector<order>{{.what = color::red}, {.what = color::green}});
}

}  // namespace laws_limiter
