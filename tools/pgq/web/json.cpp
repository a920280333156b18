#include "json.hpp"

#include <pgq/cli/output/payload_text.hpp>
#include <pgq/cli/output/state_name.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/condition.hpp>
#include <pgq/error/sqlstate.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <system_error>
#include <utility>

namespace pgq::web {

namespace {

constexpr std::size_t most_payload = 64 * 1024, most_hex = 4 * 1024, most_reason = 16 * 1024;

json::object shown(std::string_view kind, std::string_view what, std::size_t bytes, bool cut) {
    return {{"kind", kind}, {"text", text(what)}, {"bytes", bytes}, {"cut", cut}};
}

}  // namespace

json::value id(std::int64_t n) { return json::value(json::string(std::to_string(n))); }

json::value time(time_point t) { return std::chrono::floor<std::chrono::milliseconds>(t).time_since_epoch().count(); }
json::value time(const std::optional<time_point>& t) { return t ? time(*t) : json::value(nullptr); }

json::value span(const std::optional<duration>& d) {
    if (!d) return nullptr;
    return std::chrono::duration<double>(*d).count();
}

json::string text(std::string_view s) {
    if (s.size() <= most_payload && detail::is_valid_utf8(s)) return json::string{s.data(), s.size()};
    const std::string fine = detail::make_storable(s, most_payload);
    return json::string{fine.data(), fine.size()};
}

json::value number(const capped_count& n) { return json::object{{"n", n.value}, {"capped", n.capped}}; }

json::array headers(const std::vector<owned_header>& all) {
    json::array out;
    for (const auto& h : all) out.push_back(json::object{{"name", text(h.name)}, {"value", text(h.value)}});
    return out;
}

json::object percentiles(const duration_histogram& h) {
    return {{"p50", span(h.percentile(0.5))}, {"p95", span(h.percentile(0.95))}, {"p99", span(h.percentile(0.99))}};
}

json::object job(const listed_job& j, const listed_lane* lane) {
    json::object o{{"id", id(j.id.value)},
                   {"lane", j.lane.value},
                   {"state", cli::state_name(j.state)},
                   {"priority", j.priority()},
                   {"attempts", j.attempts},
                   {"enqueued_at", time(j.enqueued_at)},
                   {"run_at", j.state == job_state::deferred ? time(j.run_at) : json::value(nullptr)},
                   {"since", time(j.since)},
                   {"reason", text(std::string_view{j.reason}.substr(0, most_reason))},
                   {"headers", headers(j.headers)},
                   {"key", j.key ? json::value(text(*j.key)) : json::value(nullptr)}};
    if (j.worker) o["worker"] = j.worker->value;
    if (lane != nullptr) o["queue"] = text(lane->queue), o["entrypoint"] = text(lane->entrypoint);
    return o;
}

json::object payload(std::string_view body, const std::optional<std::string>& decoded) {
    if (decoded) return shown("json", std::string_view{*decoded}.substr(0, most_payload), body.size(), false);
    if (cli::is_compressed(body)) return shown("compressed", "", body.size(), true);
    if (cli::is_encrypted(body)) return shown("encrypted", "", body.size(), true);
    if (body.size() <= most_payload && cli::is_json(body)) return shown("json", body, body.size(), false);
    if (body.size() > most_payload && !body.empty() && (body[0] == '{' || body[0] == '['))
        return shown("text", body.substr(0, most_payload), body.size(), true);
    return shown("hex", cli::hex_digits(body.substr(0, most_hex)), body.size(), body.size() > most_hex);
}

unsigned status_of(const error_info& e) noexcept {
    if (e.code == make_sqlstate("42501") || e.code == make_sqlstate("25006")) return 403;
    for (const errc wrong : {errc::invalid_option, errc::invalid_text, errc::invalid_name, errc::draining})
        if (e == wrong) return 400;
    if (e == condition::transient || e == condition::contention || e == condition::configuration) return 503;
    return 500;
}

}  // namespace pgq::web
