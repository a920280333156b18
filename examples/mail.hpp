#pragma once

// Shared by producer.cpp and consumer.cpp: the job, the queue, and the connection string.

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdlib>
#include <string>

namespace mail {

struct send_email {
    static constexpr std::string_view entrypoint = "send_email";
    std::string to{};
    std::string subject{};
};

}  // namespace mail
BOOST_HANA_ADAPT_STRUCT(mail::send_email, to, subject);

namespace mail {

using queue = pgq::queue<pgq::job<send_email>, pgq::driver::libpq, pgq::serializer::json>;

/// Connects to `conninfo`; if that is null, to PGQ_DSN; if that is not set, by PGHOST, PGDATABASE and so on.
inline pgq::driver::libpq database(const char* conninfo) {
    if (conninfo == nullptr) conninfo = std::getenv("PGQ_DSN");
    return pgq::driver::libpq{conninfo == nullptr ? "" : conninfo};
}

}  // namespace mail
