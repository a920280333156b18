#include <pgq/driver/asio_libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/asio_context.hpp>
#include <support/catch.hpp>
#include <support/emptied_schema.hpp>

#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace laws_driver_asio_libpq {

namespace {

using pgq::driver::asio_libpq;

asio_libpq installed(test::running_context& context) {
    return asio_libpq{context.executor(), test::emptied_schema::next()};
}

/// The driver with its asynchronous verbs wherever there are two kinds of a verb.
class by_handlers {
public:
    using policy_category = pgq::driver_tag;

    class session : public pgq::driver::pq::async_session {
    public:
        explicit session(async_session s) : async_session{std::move(s)} {}

        // Only blocking verbs begin transactions, and the asynchronous verbs do not see them.
        void begin() = delete;

        pgq::result<std::vector<pgq::lane_id>> lanes(std::string_view queue, std::span<const pgq::lane_name> names) {
            test::outcome<std::vector<pgq::lane_id>> end;
            async_lanes(queue, names, end.handler());
            auto [failed, found] = end.get();
            if (failed) return why(failed);
            return found;
        }
        pgq::result<void> enqueue(const pgq::enqueue_request& r, std::vector<pgq::job_id>& ids) {
            test::outcome<> end;
            async_enqueue(r, ids, end.handler());
            if (const auto failed = end.error()) return why(failed);
            return {};
        }
        pgq::result<void> exchange(const pgq::exchange_request& r, pgq::exchange_reply& reply) {
            test::outcome<> end;
            async_exchange(r, reply, end.handler());
            if (const auto failed = end.error()) return why(failed);
            return {};
        }
        pgq::result<pgq::wake_reason> wait(pgq::duration timeout) {
            test::outcome<pgq::wake_reason> end;
            async_wait(timeout, end.handler());
            const auto [failed, reason] = end.get();
            if (failed) return why(failed);
            return reason;
        }

    private:
        pgq::error_info why(std::error_code failed) {
            CHECK(last_error().code == failed);
            return last_error();
        }
    };

    explicit by_handlers(asio_libpq driver) : driver_{std::move(driver)} {}

    pgq::result<session> connect(pgq::session_role role) const {
        test::outcome<asio_libpq::session> end;
        driver_.async_connect(role, end.handler());
        auto [failed, opened] = end.get();
        if (failed) return opened.last_error();
        return session{std::move(opened)};
    }
    pgq::result<void> install() const { return driver_.install(); }

private:
    asio_libpq driver_;
};

static_assert(pgq::driver_policy<by_handlers>);

}  // namespace

TEST_CASE("driver::asio_libpq keeps the driver laws with its blocking verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<asio_libpq>([&] { return installed(context); });
}

TEST_CASE("driver::asio_libpq keeps the driver laws with its asynchronous verbs", "[driver][asio_libpq][laws]") {
    test::running_context context;
    pgq::laws::check_driver<by_handlers>([&] { return by_handlers{installed(context)}; });
}

}  // namespace laws_driver_asio_libpq
