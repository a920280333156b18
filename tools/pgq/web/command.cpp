#include "command.hpp"

#include "server.hpp"

#include <pgq/cli/output/cell_text.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/option_kinds.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace pgq::web {

namespace {

constexpr std::chrono::seconds longest_statement{5};

std::string read_file(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    if (!in.good() && !in.eof())
        throw failure{error_info{errc::invalid_option, "the file " + path + " cannot be read"}};
    return text;
}

/// One line, written in one piece, because several threads do it.
void write_audit(std::string_view what) {
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    const std::string line = cli::text_of(time_point{now}) + ' ' + cli::safe(what) + '\n';
    std::fwrite(line.data(), 1, line.size(), stderr);
}

std::string in_brackets(const std::string& address) {
    return address.find(':') == std::string::npos ? address : '[' + address + ']';
}

driver::libpq driver_for_reads(const cli::program& p) {
    auto o = p.driver().options();
    if (o.statement_timeout <= duration{} || o.statement_timeout > longest_statement)
        o.statement_timeout = longest_statement;
    o.response_timeout = o.statement_timeout + longest_statement;
    return driver::libpq{o};
}

}  // namespace

void command::declare(CLI::App& a) {
    a.add_option("--host", host, "The address to listen on (127.0.0.1); others need credentials")->type_name("ADDRESS");
    a.add_option("--port", port, "The port to listen on (8080); 0: any that is free")->type_name("N");
    a.add_option("--allow-host", allowed_hosts, "A name under which browsers reach the page, as that of a proxy")
        ->type_name("NAME");
    a.add_option("--token-file", token_file, "A file with the token that clients must send; or PGQ_WEB_TOKEN")
        ->type_name("FILE");
    a.add_option("--user-file", user_file, "A file with a line NAME:PASSWORD for each user; or PGQ_WEB_USERS")
        ->type_name("FILE");
    a.add_flag("--read-only", read_only, "Show, and change nothing");
    cli::add_duration(a, "--interval", interval, "The time between two samples, while somebody looks (1s)");
}

cli::exit_code command::run(cli::program& p) const {
    server_options o{.host = host, .port = port, .read_only = read_only};
    o.interval = std::max(std::chrono::milliseconds{200}, std::chrono::ceil<std::chrono::milliseconds>(interval));
    auto& users = o.rules.users;
    if (const char* token = std::getenv("PGQ_WEB_TOKEN")) users.add_token(token);
    if (const char* all = std::getenv("PGQ_WEB_USERS")) users.add_users(all);
    if (!token_file.empty()) users.add_token(read_file(token_file));
    if (!user_file.empty()) users.add_users(read_file(user_file));
    if (!is_loopback(host)) {
        if (users.empty())
            return p.fail(cli::exit_code::wrong_use, "other machines may reach " + host + ", and nobody has to log in",
                          "give --token-file or --user-file, or listen on 127.0.0.1");
        o.rules.any_address = true;
    }
    const auto is_remote = [](const std::string& allowed) { return !is_loopback(host_name(allowed)); };
    const auto other = std::find_if(allowed_hosts.begin(), allowed_hosts.end(), is_remote);
    if (users.empty() && other != allowed_hosts.end())
        return p.fail(cli::exit_code::wrong_use, "who reaches " + *other + " need not log in",
                      "give --token-file or --user-file");
    o.rules.hosts = {"localhost", "127.0.0.1", "[::1]", host_name(in_brackets(host))};
    for (const auto& each : allowed_hosts) o.rules.hosts.push_back(host_name(each));
    o.audit = write_audit;
    o.listening = [&](std::uint16_t bound) {
        cli::write_out("http://" + in_brackets(host) + ':' + std::to_string(bound) + "/\n");
    };
    serve(o, driver_for_reads(p), p.driver(),
          [&p](const listed_lane& of, std::string_view body) { return p.decoded(of, body); });
    return cli::exit_code::done;
}

}  // namespace pgq::web
