#pragma once

// What producer.cpp and consumer.cpp have to agree on: the job, the queue, and where the database is.

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

/// What the command line says, else PGQ_DSN, else PGHOST, PGDATABASE and the rest of libpq's environment.
inline pgq::driver::libpq database(const char* conninfo) {
    if (conninfo == nullptr) conninfo = std::getenv("PGQ_DSN");
    return pgq::driver::libpq{conninfo == nullptr ? "" : conninfo};
}

}  // namespace mail
