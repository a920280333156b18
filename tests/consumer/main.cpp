#include <pgq/error/result.hpp>
#include <pgq/version.hpp>

#ifdef CONSUMER_HAS_LIBPQ
#include <libpq-fe.h>
#endif
#ifdef CONSUMER_HAS_ASIO
#include <asio/io_context.hpp>
#endif
#ifdef CONSUMER_HAS_JSON
#include <boost/json/parse.hpp>
#endif
#ifdef CONSUMER_HAS_NLOHMANN
#include <nlohmann/json.hpp>
#endif
#ifdef CONSUMER_HAS_SODIUM
#include <sodium.h>
#endif
#ifdef CONSUMER_HAS_ZSTD
#include <zstd.h>
#endif

#include <cstdio>

namespace {

pgq::result<int> half(int n) {
    if (n % 2 != 0) return pgq::error_info{pgq::errc::invalid_option, "odd"};
    return n / 2;
}

bool libraries_work() {
    bool good = true;
#ifdef CONSUMER_HAS_LIBPQ
    good = good && PQlibVersion() > 0;
#endif
#ifdef CONSUMER_HAS_ASIO
    good = good && asio::io_context{}.run() == 0;
#endif
#ifdef CONSUMER_HAS_JSON
    good = good && boost::json::parse("[1]").is_array();
#endif
#ifdef CONSUMER_HAS_NLOHMANN
    good = good && nlohmann::json::parse("[1]").is_array();
#endif
#ifdef CONSUMER_HAS_SODIUM
    good = good && sodium_init() >= 0;
#endif
#ifdef CONSUMER_HAS_ZSTD
    good = good && ZSTD_versionNumber() > 0;
#endif
    return good;
}

}  // namespace

int main() {
    std::printf("pgq %s\n", PGQ_VERSION);
    return half(4).value() == 2 && half(3).error() == pgq::errc::invalid_option && libraries_work() ? 0 : 1;
}
