#pragma once

#include "backend.hpp"
#include "request.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::web {

/// A client that gets events until it leaves.
class event_stream {
public:
    virtual ~event_stream() = default;
    /// If the client is slow it gets the latest event and not those before it: nothing piles up.
    virtual void push(std::shared_ptr<const std::string> event) = 0;
};

/// What a connection needs of the server.
class hub {
public:
    virtual ~hub() = default;
    virtual std::optional<response> refuse(const request& r) const = 0;
    virtual void answer(const request& r, reply done) = 0;
    virtual bool is_stream(std::string_view target) const = 0;
    virtual bool add_stream(const std::shared_ptr<event_stream>& s) = 0;
    virtual void remove_stream(const event_stream* s) = 0;
    virtual void opened() = 0;
    virtual void closed() = 0;
};

/// Reads requests and writes answers until the client leaves, is too slow, or sends something that is no HTTP.
void start_connection(boost::asio::ip::tcp::socket socket, hub& h);

/// Says 503 and closes: too many clients are connected.
void reject(boost::asio::ip::tcp::socket socket);

}  // namespace pgq::web
