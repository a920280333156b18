#include <pgq/driver/asio_libpq.hpp>

#include <laws/driver.hpp>
#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/fresh_schema.hpp>

#include <asio/experimental/as_tuple.hpp>
#include <asio/use_future.hpp>

#include <future>
#include <span>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

using pgq::driver::asio_libpq;

constexpr auto in_future = asio::experimental::as_tuple(asio::use_future);

asio_libpq installed(test::running_context& context) {
    asio_libpq driver{context.executor(), {.conninfo = test::dsn(), .schema = test::fresh_schemas::next()}};
    driver.install().value();
    return driver;
}

/// The driver again, with every verb that there is in two kinds done by the asynchronous one.
class by_futures {
public:
    using policy_category = pgq::driver_tag;

    class session : public pgq::driver::pq::async_session {
    public:
        explicit session(async_session s) : async_session{std::move(s)} {}

        pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue,
                                                     std::span<const std::string_view> entrypoints) {
            std::vector<pgq::lane_id> found;
            if (auto done = outcome(async_lanes({queue, entrypoints}, found, in_future)); !done) return done.error();
            return found;
        }
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            return outcome(async_enqueue(r, ids, in_future));
        }
        pgq::result<void> exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
            return outcome(async_exchange(r, reply, in_future));
        }
        pgq::result<pgq::wake_reason> wait(pgq::duration timeout) { return outcome(async_wait(timeout, in_future)); }

    private:
        template <class... T>
        auto outcome(std::future<std::tuple<std::error_code, T...>> future) {
            using answer =
                pgq::result<typename std::conditional_t<sizeof...(T) == 0, std::tuple_element<0, std::tuple<void>>,
                                                        std::tuple_element<0, std::tuple<T...>>>::type>;
            auto ended = future.get();
            if (!std::get<0>(ended)) {
                if constexpr (sizeof...(T) == 0) return answer{};
                else return answer{std::get<1>(ended)};
            }
            CHECK(last_error().code == std::get<0>(ended));
            return answer{last_error()};
        }
    };

    explicit by_futures(asio_libpq driver) : driver_{std::move(driver)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        auto ended = driver_.async_connect(role, in_future).get();
        if (std::get<0>(ended)) return std::get<1>(ended).last_error();
        return session{std::move(std::get<1>(ended))};
    }
    pgq::result<void> install() const { return driver_.install(); }

private:
    asio_libpq driver_;
};

static_assert(pgq::driver_policy<by_futures>);

}  // namespace

TEST_CASE("driver::asio_libpq keeps the driver laws by its blocking verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<asio_libpq>([&] { return installed(context); });
}

TEST_CASE("driver::asio_libpq keeps the driver laws by its asynchronous verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<by_futures>([&] { return by_futures{installed(context)}; });
}
