#include "connection.hpp"

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace pgq::web {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using error_code = boost::system::error_code;

constexpr std::uint32_t most_header = 8 * 1024;
constexpr std::size_t most_body = 1024 * 1024, most_buffer = 64 * 1024, most_drained = 1024 * 1024;
constexpr std::chrono::seconds header_time{10}, body_time{30}, write_time{30}, drain_time{2};

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> security{{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
     "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

std::string stream_header() {
    std::string out =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Accel-Buffering: no\r\nConnection: close\r\n";
    for (const auto& [name, value] : security) out += std::string{name} + ": " + std::string{value} + "\r\n";
    return out + "\r\n: pgq\n\n";
}

beast::string_view view(std::string_view s) { return {s.data(), s.size()}; }

method method_of(http::verb v) noexcept {
    if (v == http::verb::get) return method::get;
    if (v == http::verb::head) return method::head;
    return v == http::verb::post ? method::post : method::other;
}

class connection final : public event_stream, public std::enable_shared_from_this<connection> {
public:
    connection(tcp::socket socket, hub& h) : stream_{std::move(socket)}, hub_{h} {
        error_code ignored;
        const auto peer = stream_.socket().remote_endpoint(ignored);
        peer_ = ignored ? "?" : peer.address().to_string();
        stream_.socket().set_option(tcp::no_delay{true}, ignored);
        hub_.opened();
    }
    ~connection() override { hub_.closed(); }
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    void read() {
        parser_.emplace();
        parser_->header_limit(most_header);
        parser_->body_limit(most_body);
        stream_.expires_after(header_time);
        http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code e, std::size_t) {
            e ? self->failed(e) : self->took_header();
        });
    }

    void push(std::shared_ptr<const std::string> event) override {
        if (writing_event_) next_event_ = std::move(event);
        else write_event(std::move(event));
    }

private:
    void failed(const error_code& e) {
        if (e == http::error::end_of_stream || e == beast::error::timeout || e == asio::error::operation_aborted ||
            e.category() == asio::error::get_system_category())
            return close();
        keep_alive_ = false;
        if (e == http::error::header_limit || e == http::error::buffer_overflow)
            return write(error_response(431, "the request line and the headers have more than 8 KiB"));
        if (e == http::error::body_limit) return write(error_response(413, "the body has more than 1 MiB"));
        write(error_response(400, "this is no HTTP request"));
    }

    void took_header() {
        const auto& m = parser_->get();
        const auto field = [&m](http::field f) { return std::string{m[f].data(), m[f].size()}; };
        keep_alive_ = m.keep_alive();
        request_ = {.verb = method_of(m.method()),
                    .target = std::string{m.target().data(), m.target().size()},
                    .host = field(http::field::host),
                    .origin = field(http::field::origin),
                    .fetch_site = std::string{m["Sec-Fetch-Site"].data(), m["Sec-Fetch-Site"].size()},
                    .authorization = field(http::field::authorization),
                    .content_type = field(http::field::content_type),
                    .if_none_match = field(http::field::if_none_match),
                    .peer = peer_};
        // RFC 9112, 6.3: how long a body of another coding is, nobody can say.
        if (m.count(http::field::transfer_encoding) > 0 && !m.chunked()) {
            keep_alive_ = false;
            return write(error_response(400, "the transfer coding is not chunked"));
        }
        if (m.count(http::field::host) > 1) request_.host.clear();  // nobody can say which one counts
        if (auto no = hub_.refuse(request_)) {
            keep_alive_ = keep_alive_ && parser_->is_done();  // the body was not read
            return write(std::move(*no));
        }
        if (parser_->is_done()) return answer();
        stream_.expires_after(body_time);
        http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code e, std::size_t) {
            e ? self->failed(e) : self->answer();
        });
    }

    void answer() {
        stream_.expires_never();
        request_.body = std::move(parser_->get().body());
        if (request_.verb == method::get && hub_.is_stream(request_.target)) return begin_stream();
        hub_.answer(request_, [self = shared_from_this()](const shared_response& r) { self->write(*r); });
    }

    void write(const response& r) {
        auto& out = answer_.emplace();
        out.version(11);
        out.result(r.status);
        out.set(http::field::content_type, view(r.content_type));
        out.set(http::field::cache_control, r.content_type == "application/json" ? "no-store" : "no-cache");
        for (const auto& [name, value] : security) out.set(view(name), view(value));
        for (const auto& [name, value] : r.headers) out.set(view(name), view(value));
        out.keep_alive(keep_alive_);
        if (r.status != 304) out.content_length(r.body.size());
        if (request_.verb != method::head && r.status != 304) out.body() = r.body;
        stream_.expires_after(write_time);
        http::async_write(stream_, out, [self = shared_from_this()](error_code e, std::size_t) { self->wrote(e); });
    }
    void wrote(const error_code& e) {
        answer_.reset();
        if (e) return close();
        if (keep_alive_) return read();
        // Unread bytes of the client would make the system throw away the answer.
        error_code ignored;
        stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        stream_.expires_after(drain_time);
        drain();
    }
    void drain() {
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(16 * 1024), [self = shared_from_this()](error_code e, std::size_t n) {
            self->drained_ += n;
            if (e || self->drained_ > most_drained) self->close();
            else self->drain();
        });
    }

    void begin_stream() {
        if (!hub_.add_stream(shared_from_this()))
            return write(error_response(503, "too many pages get live updates", "this page is not live"));
        streaming_ = true;
        watch();  // before a write sets a time: this read has none
        static const auto comment = std::make_shared<const std::string>(":\n\n");
        if (!header_sent_) write_event(comment);
    }
    /// A client that leaves is seen by this. It has nothing more to say.
    void watch() {
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(512),
                                [self = shared_from_this()](error_code, std::size_t) { self->close(); });
    }
    void write_event(std::shared_ptr<const std::string> event) {
        writing_event_ = true;
        if (!std::exchange(header_sent_, true)) event = std::make_shared<const std::string>(stream_header() + *event);
        stream_.expires_after(write_time);
        auto bytes = asio::buffer(*event);
        asio::async_write(stream_, bytes, [self = shared_from_this(), event](error_code e, std::size_t) {
            self->writing_event_ = false;
            if (e) return self->close();
            if (auto next = std::exchange(self->next_event_, nullptr)) self->write_event(std::move(next));
        });
    }

    void close() {
        if (std::exchange(streaming_, false)) hub_.remove_stream(this);
        stream_.close();
    }

    beast::tcp_stream stream_;
    hub& hub_;
    std::string peer_{};
    beast::flat_buffer buffer_{most_buffer};
    std::optional<http::request_parser<http::string_body>> parser_{};
    request request_{};
    std::optional<http::response<http::string_body>> answer_{};
    bool keep_alive_ = false;
    bool streaming_ = false;
    bool header_sent_ = false;
    bool writing_event_ = false;
    std::shared_ptr<const std::string> next_event_{};
    std::size_t drained_ = 0;
};

}  // namespace

void start_connection(tcp::socket socket, hub& h) { std::make_shared<connection>(std::move(socket), h)->read(); }

void reject(tcp::socket socket) {
    static constexpr std::string_view answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\nRetry-After: 5\r\n\r\n";
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(answer.data(), answer.size()), ignored);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
}

}  // namespace pgq::web
