#pragma once

#include "backend.hpp"
#include "guard.hpp"
#include "reads.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace pgq::web {

struct server_options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;  ///< 0: any that is free
    site_rules rules{};
    bool read_only = false;
    std::chrono::milliseconds interval{1000};  ///< between two samples, while somebody looks
    std::size_t connections = 256;
    std::size_t streams = 200;  ///< of events; each is a connection, too
    std::function<void(std::string_view)> audit{};
    std::function<void(std::uint16_t port)> listening{};
};

/// Serves until SIGINT or SIGTERM. One thread talks to the clients; see backend for the others. Throws `failure` if the
/// database or the address cannot be used.
void serve(const server_options& o, const driver::libpq& for_reads, const driver::libpq& for_actions,
           payload_view decode);

}  // namespace pgq::web
