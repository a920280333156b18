#pragma once

#include <pgq/cli/output/exit_code.hpp>

#include <CLI/App.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace pgq::cli {
class program;
}

namespace pgq::web {

struct command {
    static constexpr const char* name = "web";
    static constexpr const char* what = "Serve a page that shows and steers the jobs in a browser";

    void declare(CLI::App& a);
    cli::exit_code run(cli::program& p) const;

    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;
    std::vector<std::string> allowed_hosts{};
    std::string token_file{};
    std::string user_file{};
    bool read_only = false;
    std::chrono::nanoseconds interval = std::chrono::seconds{1};
};

}  // namespace pgq::web
