#pragma once

#include <pgq/driver/pq/connection/libpq_handles.hpp>

#include <libpq-fe.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// Where a server may be, as libpq names it. `port` may be empty.
struct host_entry {
    std::string host{};
    std::string hostaddr{};
    std::string port{};

    friend bool operator==(const host_entry&, const host_entry&) = default;
};

/// A setting of an attempt that has begun, wherever it was set; empty if it is not.
inline std::string conninfo_value(PGconn* c, std::string_view keyword) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> all{PQconninfo(c), &PQconninfoFree};
    for (const auto* o = all.get(); o != nullptr && o->keyword != nullptr; ++o)
        if (keyword == o->keyword && o->val != nullptr) return o->val;
    return {};
}

/// The address that a connection attempt uses at the moment.
inline host_entry present_host(const PGconn* c) { return {PQhost(c), PQhostaddr(c), PQport(c)}; }

/// The numeric addresses of a host name; empty for a socket directory, and if the name is not known.
inline std::vector<std::string> resolve(const std::string& host) {
    std::vector<std::string> found;
    if (host.empty() || host[0] == '/' || host[0] == '@') return found;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* all = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &wanted, &all) != 0) return found;
    for (const addrinfo* a = all; a != nullptr; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            found.emplace_back(text);
    }
    ::freeaddrinfo(all);
    return found;
}

/// The hosts of a connection string. A host that stays silent can be removed from it, so that the next attempt does
/// without it: libpq itself has no time limit for a host when it does not block.
class host_list {
public:
    host_list() = default;
    explicit host_list(std::vector<host_entry> entries) : entries_{std::move(entries)} {}
    /// The hosts of an attempt that has begun, with what the environment and a service file have added.
    explicit host_list(PGconn* c) {
        const auto hosts = split(conninfo_value(c, "host"));
        const auto addresses = split(conninfo_value(c, "hostaddr"));
        const auto ports = split(conninfo_value(c, "port"));
        entries_.resize(std::max(hosts.size(), addresses.size()));
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (i < hosts.size()) entries_[i].host = hosts[i];
            if (i < addresses.size()) entries_[i].hostaddr = addresses[i];
            if (!ports.empty()) entries_[i].port = ports[ports.size() == 1 ? 0 : i % ports.size()];
        }
    }

    const std::vector<host_entry>& entries() const noexcept { return entries_; }
    bool empty() const noexcept { return entries_.empty(); }

    /// Removes what `silent` says, as `present_host` names it. `addresses`: those of its name. The others of them stay,
    /// each as an entry of its own.
    void remove(const host_entry& silent, const std::vector<std::string>& addresses) {
        std::vector<host_entry> rest;
        bool removed = false;
        for (auto& e : entries_) {
            if (removed || !is_at(e, silent)) {
                rest.push_back(std::move(e));
                continue;
            }
            removed = true;
            if (!e.hostaddr.empty()) continue;
            for (const auto& a : addresses)
                if (a != silent.hostaddr) rest.push_back({e.host, a, e.port});
        }
        // An attempt at something that the list does not have cannot go on, or it would go on for ever.
        entries_ = removed ? std::move(rest) : std::vector<host_entry>{};
    }

    /// A setting of all entries, as libpq takes it. An empty setting would be none, so a single entry is there twice if
    /// one of its settings is empty.
    std::string joined(std::string host_entry::*member) const {
        std::string out;
        for (const auto& e : entries_) out += (out.empty() && &e == entries_.data() ? "" : ",") + e.*member;
        const auto& first = entries_.front();
        const bool twice = entries_.size() == 1 && (first.host.empty() || first.hostaddr.empty() || first.port.empty());
        return twice ? out + "," + out : out;
    }

private:
    static std::vector<std::string> split(const std::string& list) {
        std::vector<std::string> parts;
        if (list.empty()) return parts;
        for (std::size_t from = 0;;) {
            const std::size_t to = list.find(',', from);
            parts.push_back(list.substr(from, to - from));
            if (to == std::string::npos) return parts;
            from = to + 1;
        }
    }
    // libpq reports the defaults of what is empty.
    static bool is_at(const host_entry& e, const host_entry& there) {
        if (!e.port.empty() && e.port != there.port) return false;
        if (!e.hostaddr.empty() && e.hostaddr != there.hostaddr) return false;
        return e.host.empty() || e.host == there.host;
    }

    std::vector<host_entry> entries_{};
};

}  // namespace pgq::driver::pq
