#pragma once

#include <pgq/driver/libpq.hpp>
#include <pgq/pgq.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quickstart {

/// Lists the files and enqueues an index_file for each.
struct scan {
    static constexpr std::string_view entrypoint = "scan";
    std::vector<std::string> directories{};
    std::int64_t at_most = 0;
};

/// Counts the words of one file.
struct index_file {
    static constexpr std::string_view entrypoint = "index_file";
    std::string path{};
};

/// Sums up. The handler that finishes the last file enqueues it.
struct report {
    static constexpr std::string_view entrypoint = "report";
    std::int64_t top = 20;
};

}  // namespace quickstart
BOOST_HANA_ADAPT_STRUCT(quickstart::scan, directories, at_most);
BOOST_HANA_ADAPT_STRUCT(quickstart::index_file, path);
BOOST_HANA_ADAPT_STRUCT(quickstart::report, top);

namespace quickstart {

using job_queue = pgq::queue<pgq::job<scan>, pgq::job<index_file>, pgq::job<report>, pgq::driver::libpq,
                             pgq::serializer::json, pgq::executor::thread_pool>;

/// Two threads per process: one can read and count while the other waits for the database.
inline job_queue open_queue(const std::string& conninfo, const std::string& schema) {
    pgq::driver::libpq driver{pgq::driver::connection_options{.conninfo = conninfo, .schema = schema + "_jobs"}};
    return job_queue{std::move(driver), {.name = "quickstart"}, pgq::executor::thread_pool{2}};
}

}  // namespace quickstart
