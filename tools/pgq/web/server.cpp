#include "server.hpp"

#include "assets.hpp"
#include "connection.hpp"

#include <pgq/error/result.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pgq::web {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using error_code = boost::system::error_code;

constexpr std::chrono::seconds heartbeat{15}, longest_pause{10};
constexpr std::string_view overview_path = "/api/overview";

class server final : public hub {
public:
    server(const server_options& o, const driver::libpq& for_reads, const driver::libpq& for_actions,
           payload_view decode)
        : options_{o},
          backend_{for_reads,
                   for_actions,
                   std::move(decode),
                   {.read_only = o.read_only,
                    .post = [this](std::function<void()> f) { asio::post(io_, std::move(f)); },
                    .audit = o.audit,
                    .changed = [this] { sample_soon(); }}} {}

    void run() {
        backend_.check();
        listen();
        signals_.async_wait([this](error_code, int) { io_.stop(); });
        if (options_.listening) options_.listening(acceptor_.local_endpoint().port());
        accept();
        beat();
        io_.run();
    }

    // What connections ask for.
    std::optional<response> refuse(const request& r) const override { return web::refuse(r, options_.rules); }
    void answer(const request& r, reply done) override {
        const auto t = parse_target(r.target);
        if (!t) return done(shared(error_response(400, "the address of the request cannot be read")));
        if (is_page(t->path)) return done(file(r, *find_asset("/assets/index.html")));
        if (const asset* a = find_asset(t->path)) return done(file(r, *a));
        const bool posts = r.verb == method::post;
        const auto user = options_.rules.users.user_of(r.authorization).value_or("-");
        const bool known = posts ? backend_.post(*t, r, user, done) : backend_.get(*t, r.target, done);
        if (known) return;
        const bool other = posts ? reads::knows(t->path) : is_action_path(t->path);
        auto no = other ? error_response(405, posts ? "this address is for GET" : "this address is for POST")
                        : error_response(404, "there is no such page");
        if (other) no.headers.emplace_back("Allow", posts ? "GET, HEAD" : "POST");
        done(shared(std::move(no)));
    }
    bool is_stream(std::string_view target) const override { return target == "/api/events"; }
    bool add_stream(const std::shared_ptr<event_stream>& s) override {
        if (streams_.size() >= options_.streams) return false;
        streams_.push_back(s);
        if (last_event_) s->push(last_event_);
        if (streams_.size() == 1) sample();
        return true;
    }
    void remove_stream(const event_stream* s) override {
        std::erase_if(streams_, [s](const auto& each) { return each.get() == s; });
        if (streams_.empty()) last_event_.reset(), last_body_.clear();
    }
    void opened() override { ++connections_; }
    void closed() override { --connections_; }

private:
    static shared_response shared(response r) { return std::make_shared<const response>(std::move(r)); }

    static shared_response file(const request& r, const asset& a) {
        if (r.verb == method::post) return shared(error_response(405, "this address is for GET"));
        response out{.content_type = std::string{a.type}};
        out.headers.emplace_back("ETag", std::string{a.tag});
        if (r.if_none_match == a.tag) out.status = 304;
        else out.body = std::string{a.bytes};
        return shared(std::move(out));
    }

    void listen() {
        error_code error;
        const auto address = asio::ip::make_address(options_.host == "localhost" ? "127.0.0.1" : options_.host, error);
        if (error) throw failure{error_info{errc::invalid_option, "--host is no address", "write 127.0.0.1 or ::"}};
        const tcp::endpoint at{address, options_.port};
        acceptor_.open(at.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address{true}, error);
        if (!error) acceptor_.bind(at, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error)
            throw failure{error_info{
                std::error_code{error},
                "cannot listen on " + options_.host + " port " + std::to_string(options_.port) + ": " + error.message(),
                "choose another one with --host and --port"}};
    }
    void accept() {
        acceptor_.async_accept([this](error_code error, tcp::socket socket) {
            if (error == asio::error::operation_aborted) return;
            if (error) return accept_later();
            if (connections_ >= options_.connections) reject(std::move(socket));
            else start_connection(std::move(socket), *this);
            accept();
        });
    }
    /// There are no more file descriptors, or the like.
    void accept_later() {
        pause_.expires_after(std::chrono::milliseconds{200});
        pause_.async_wait([this](error_code error) {
            if (!error) accept();
        });
    }

    // The sampler: one for all viewers, and it sleeps if there are none.
    void sample() {
        if (sampling_) return;
        sampling_ = true;
        const auto begun = backend::clock::now();
        (void)backend_.get({.path = std::string{overview_path}}, std::string{overview_path},
                           [this, begun](const shared_response& r) {
                               sampling_ = false;
                               publish(*r);
                               sample_after(backend::clock::now() - begun);
                           });
    }
    void publish(const response& r) {
        if (streams_.empty() || r.body == last_body_) return;
        last_body_ = r.body;
        const std::string name = r.status == 200 ? "sample" : "trouble";
        last_event_ = std::make_shared<const std::string>("event: " + name + "\ndata: " + r.body + "\n\n");
        for (const auto& s : std::vector{streams_}) s->push(last_event_);
    }
    /// A sample that took long is not repeated soon: samples use no more than a tenth of the server's time.
    void sample_after(backend::clock::duration took) {
        if (streams_.empty()) return;
        timer_.expires_after(std::min<backend::clock::duration>(
            longest_pause, std::max<backend::clock::duration>(options_.interval, took * 9)));
        timer_.async_wait([this](error_code error) {
            if (!error && !streams_.empty()) sample();
        });
    }
    void sample_soon() {
        if (streams_.empty() || sampling_) return;
        timer_.cancel();
        sample();
    }
    void beat() {
        beat_.expires_after(heartbeat);
        beat_.async_wait([this](error_code error) {
            if (error) return;
            static const auto comment = std::make_shared<const std::string>(":\n\n");
            for (const auto& s : std::vector{streams_}) s->push(comment);
            beat();
        });
    }

    server_options options_;
    std::size_t connections_ = 0;  // in front of what owns connections
    asio::io_context io_{1};
    asio::signal_set signals_{io_, SIGINT, SIGTERM};
    tcp::acceptor acceptor_{io_};
    asio::steady_timer timer_{io_}, beat_{io_}, pause_{io_};
    bool sampling_ = false;
    std::string last_body_{};
    std::shared_ptr<const std::string> last_event_{};
    std::vector<std::shared_ptr<event_stream>> streams_{};
    backend backend_;  // the last member: its threads end first
};

}  // namespace

void serve(const server_options& o, const driver::libpq& for_reads, const driver::libpq& for_actions,
           payload_view decode) {
    server{o, for_reads, for_actions, std::move(decode)}.run();
}

}  // namespace pgq::web
