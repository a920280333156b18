#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

// libpq's own default, sslmode=prefer, accepts any certificate, and no TLS at all: an attacker on the network can read
// and change everything. So towards another host the library asks for verification, unless the program sets sslmode.
namespace pgq::driver::pq {

/// What decides about TLS, as far as it is known before connecting.
struct tls_environment {
    /// As libpq takes it: names, addresses or socket directories, separated by commas. Empty: a socket.
    std::string host{};
    std::string hostaddr{};  ///< takes precedence over the host
    /// The connection string or the environment sets sslmode, or names a service, which may set it.
    bool has_mode = false;
    bool has_root = false;      ///< sslrootcert is set, or there is a ~/.postgresql/root.crt
    bool knows_system = false;  ///< libpq 16 and later can trust what the system trusts
    std::string_view bundle{};  ///< else the file with what the system trusts; empty when there is none
};

/// Settings to add; an empty one is left to libpq.
struct tls_settings {
    std::string sslmode{};
    std::string sslrootcert{};

    bool any() const noexcept { return !sslmode.empty(); }
    friend bool operator==(const tls_settings&, const tls_settings&) = default;
};

inline bool is_loopback(const std::string& address) noexcept {
    in_addr v4{};
    in6_addr v6{};
    if (::inet_pton(AF_INET, address.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
    return ::inet_pton(AF_INET6, address.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/// Whether everything that is sent there stays on this machine: a socket in the file system, or the loopback interface.
inline bool is_local(const std::string& host) noexcept {
    return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || is_loopback(host);
}

/// The same of all that a setting names.
inline bool all_local(const std::string& hosts) {
    for (std::size_t from = 0;;) {
        const std::size_t to = hosts.find(',', from);
        if (!is_local(hosts.substr(from, to - from))) return false;
        if (to == std::string::npos) return true;
        from = to + 1;
    }
}

/// What to ask libpq for in addition to what was said.
inline tls_settings choose_tls(const tls_environment& f) {
    if (f.has_mode || all_local(f.hostaddr.empty() ? f.host : f.hostaddr)) return {};
    tls_settings chosen{.sslmode = "verify-full"};
    if (f.has_root) return chosen;
    chosen.sslrootcert = f.knows_system ? "system" : f.bundle;
    return chosen;
}

namespace detail {

struct free_conninfo {
    void operator()(PQconninfoOption* o) const noexcept { PQconninfoFree(o); }
};

inline std::string environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): as libpq reads it
    return value == nullptr ? std::string{} : std::string{value};
}

inline bool has_own_root() {
    std::string home = environment("HOME");
    if (home.empty()) {
        std::array<char, 4096> text;
        ::passwd entry{};
        ::passwd* me = nullptr;
        if (::getpwuid_r(::geteuid(), &entry, text.data(), text.size(), &me) == 0 && me != nullptr) home = me->pw_dir;
    }
    return ::access((home + "/.postgresql/root.crt").c_str(), R_OK) == 0;
}

// Where the distributions keep it: Debian, Red Hat, SUSE, Alpine and the BSDs.
inline std::string_view system_bundle() {
    constexpr std::array<const char*, 4> known{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                               "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (const char* path : known)
        if (::access(path, R_OK) == 0) return path;
    return {};
}

}  // namespace detail

/// The TLS settings of a connection string and the environment. If the string cannot be parsed, libpq reports what is
/// wrong, so this changes nothing; but a bare word is the name of a database.
inline tls_environment read_tls_environment(const std::string& conninfo) {
    using detail::environment;
    const std::unique_ptr<PQconninfoOption, detail::free_conninfo> parsed{PQconninfoParse(conninfo.c_str(), nullptr)};
    const auto option_value = [&](std::string_view keyword) -> std::string {
        for (const auto* o = parsed.get(); o != nullptr && o->keyword != nullptr; ++o)
            if (keyword == o->keyword && o->val != nullptr) return o->val;
        return {};
    };
    const auto either = [&](std::string_view keyword, const char* variable) {
        std::string value = option_value(keyword);
        return value.empty() ? environment(variable) : value;
    };
    const bool bare_word = conninfo.find('=') == std::string::npos && conninfo.find("://") == std::string::npos;
    return {.host = either("host", "PGHOST"),
            .hostaddr = either("hostaddr", "PGHOSTADDR"),
            .has_mode = (!parsed && !bare_word) || !either("sslmode", "PGSSLMODE").empty() ||
                        !either("service", "PGSERVICE").empty() || !environment("PGREQUIRESSL").empty(),
            .has_root = !either("sslrootcert", "PGSSLROOTCERT").empty() || detail::has_own_root(),
            .knows_system = PQlibVersion() >= 160000,
            .bundle = detail::system_bundle()};
}

/// Adds the remedy to an error of TLS, if the library asked for TLS and not the program.
inline error_info explain_tls(error_info e, const tls_settings& asked) {
    const bool about_tls =
        e.message.find("SSL") != std::string::npos || e.message.find("certificate") != std::string::npos;
    if (asked.any() && about_tls)
        e.hint =
            "towards another host pgq asks for sslmode=verify-full: name the certificate to trust by sslrootcert, or, "
            "where the "
            "network is trusted, say another sslmode in the connection string or in PGSSLMODE";
    return e;
}

}  // namespace pgq::driver::pq
