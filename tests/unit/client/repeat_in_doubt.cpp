#include <pgq/client/repeat_in_doubt.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <vector>

namespace unit_client_repeat_in_doubt {

using pgq::detail::repeat_in_doubt;

namespace {

// A call that answers with these errors, one after the other, and then with its number.
struct call {
    std::vector<pgq::errc> errors{};
    std::size_t* calls = nullptr;

    pgq::result<int> operator()() const {
        const std::size_t n = (*calls)++;
        if (n < errors.size()) return errors[n];
        return static_cast<int>(n);
    }
};

}  // namespace

TEST_CASE("a call with a request id is repeated once if its answer is missing", "[client][request_id]") {
    std::size_t calls = 0;
    CHECK(repeat_in_doubt(true, call{{pgq::errc::connection_lost}, &calls}).value() == 1);
    CHECK(calls == 2);
}

TEST_CASE("a call without a request id, or with an answer, is not repeated", "[client][request_id]") {
    std::size_t calls = 0;
    CHECK(repeat_in_doubt(false, call{{pgq::errc::connection_lost}, &calls}).error() == pgq::errc::connection_lost);
    CHECK(calls == 1);
    CHECK(repeat_in_doubt(true, call{{}, &(calls = 0)}).value() == 0);
    CHECK(calls == 1);
    CHECK(repeat_in_doubt(true, call{{pgq::errc::lane_full}, &(calls = 0)}).error() == pgq::errc::lane_full);
    CHECK(calls == 1);
}

TEST_CASE("if the repeated call fails, the error is that of the first one, which is still in doubt",
          "[client][request_id]") {
    std::size_t calls = 0;
    const auto said = repeat_in_doubt(true, call{{pgq::errc::connection_lost, pgq::errc::lane_full}, &calls});
    CHECK(said.error() == pgq::errc::connection_lost);
    CHECK(calls == 2);
}

}  // namespace unit_client_repeat_in_doubt
