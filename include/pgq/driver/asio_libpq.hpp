#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/driver/pq/asio/client.hpp>
#include <pgq/driver/pq/asio/session.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/session/caller_transaction.hpp>
#include <pgq/driver/pq/session/installer.hpp>
#include <pgq/time/call_limit.hpp>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace pgq::driver {

/// PostgreSQL through libpq, by Asio: `asio_libpq{context.get_executor(), "host=..."}`. Everything that driver::libpq
/// can do, and the same without blocking, with any completion token.
///
/// Any executor will do: what a session does inside is on a strand of its own. What was made of it and has been used
/// asynchronously must be gone before its context is.
class asio_libpq {
public:
    using policy_category = driver_tag;
    using session = pq::async_session;
    using async_client = pq::async_client;  ///< for async_enqueue of a queue
    static constexpr bool is_async = true;

    explicit asio_libpq(asio::any_io_executor executor, connection_options options = {})
        : executor_{std::move(executor)}, options_{std::move(options)} {}
    // A template, so that `{executor, {.schema = ...}}` can only mean the options.
    template <std::convertible_to<std::string> Text>
    asio_libpq(asio::any_io_executor executor, Text&& conninfo) : executor_{std::move(executor)} {
        options_.conninfo = std::forward<Text>(conninfo);
    }

    /// Fails as async_connect does.
    result<session> connect(session_role role) const { return session::open(executor_, options_, role); }
    /// The same, with a session whose calls obey `limit`, which must outlive it.
    result<session> connect(session_role role, const call_limit& limit) const {
        return session::open(executor_, options_, role, &limit);
    }

    /// Fails with errc::schema_missing, schema_older or schema_newer when the tables are not this version's. libpq
    /// looks up host names by itself, and blocks during that; `hostaddr` in the connection string avoids it.
    template <asio::completion_token_for<void(std::error_code, session)> Token>
    auto async_connect(session_role role, Token&& token) const {
        return session::async_open(executor_, options_, role, nullptr, std::forward<Token>(token));
    }
    template <asio::completion_token_for<void(std::error_code, session)> Token>
    auto async_connect(session_role role, const call_limit& limit, Token&& token) const {
        return session::async_open(executor_, options_, role, &limit, std::forward<Token>(token));
    }

    result<void> install() const { return pq::install(options_); }

    async_client make_async_client(std::string queue, std::span<const lane_name> names) const {
        return {executor_, options_, std::move(queue), names};
    }

    const asio::any_io_executor& get_executor() const noexcept { return executor_; }
    const connection_options& options() const noexcept { return options_; }

private:
    asio::any_io_executor executor_;
    connection_options options_;
};

static_assert(async_driver<asio_libpq> && worker_driver<asio_libpq>);

}  // namespace pgq::driver
