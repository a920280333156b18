#include "order.hpp"

#include "search.hpp"

#include <pgq/detail/json_text.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/time/duration_text.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <limits>
#include <utility>

namespace pgq::web {

namespace {

namespace json = boost::json;

constexpr std::size_t most_ids = 1000, most_text = 2000;

error_info wrong(std::string what, std::string remedy = {}) {
    return {errc::invalid_option, std::move(what), std::move(remedy)};
}

/// Reads members, and keeps the first mistake.
class body_reader {
public:
    explicit body_reader(const json::object& o) : object_{o} {}

    std::string text(std::string_view name) {
        const json::value* v = find(name);
        if (v == nullptr) return {};
        if (!v->is_string() || v->get_string().size() > most_text) return fail(name, "a text of at most 2000 bytes");
        return std::string{v->get_string().data(), v->get_string().size()};
    }
    std::string required(std::string_view name) {
        auto value = text(name);
        if (value.empty()) fail(name, "a text that is not empty");
        return value;
    }
    std::optional<std::int32_t> number(std::string_view name, std::int64_t least) {
        const json::value* v = find(name);
        if (v == nullptr) return std::nullopt;
        if (!v->is_int64() || v->get_int64() < least || v->get_int64() > std::numeric_limits<std::int32_t>::max()) {
            fail(name, "a whole number of at least " + std::to_string(least));
            return std::nullopt;
        }
        return static_cast<std::int32_t>(v->get_int64());
    }
    bool flag(std::string_view name) {
        const json::value* v = find(name);
        if (v != nullptr && !v->is_bool()) fail(name, "true or false");
        return v != nullptr && v->is_bool() && v->get_bool();
    }
    std::vector<job_id> ids(std::string_view name) {
        std::vector<job_id> all;
        const json::value* v = find(name);
        if (v == nullptr) return all;
        if (!v->is_array() || v->get_array().size() > most_ids) return fail(name, "at most 1000 ids"), all;
        for (const auto& e : v->get_array()) {
            std::int64_t n = -1;
            if (e.is_string()) {
                const auto& s = e.get_string();
                const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), n);
                if (error != std::errc{} || end != s.data() + s.size()) n = -1;
            }
            if (n < 0) return fail(name, "ids as texts of digits"), all;
            all.push_back({n});
        }
        return all;
    }
    std::optional<held_group> group(std::string_view name) {
        const json::value* v = find(name);
        if (v == nullptr) return std::nullopt;
        held_group g;
        const json::object* o = v->if_object();
        const json::value* lane = o == nullptr ? nullptr : o->if_contains("lane");
        const json::value* reason = o == nullptr ? nullptr : o->if_contains("reason");
        const bool fine = lane != nullptr && lane->is_int64() && lane->get_int64() > 0 &&
                          lane->get_int64() <= INT32_MAX && reason != nullptr && reason->is_string() &&
                          reason->get_string().size() <= most_text;
        if (!fine) return fail(name, "an object with a lane and a reason"), std::nullopt;
        g.lane = {static_cast<std::int32_t>(lane->get_int64())};
        g.reason.assign(reason->get_string().data(), reason->get_string().size());
        return g;
    }
    bool has(std::string_view name) const { return find(name) != nullptr; }
    std::string fail(std::string_view name, const std::string& wanted) {
        if (!mistake_) mistake_ = wrong("the member \"" + std::string{name} + "\" is not " + wanted);
        return {};
    }
    void refuse(error_info e) {
        if (!mistake_) mistake_ = std::move(e);
    }
    const std::optional<error_info>& mistake() const noexcept { return mistake_; }

private:
    const json::value* find(std::string_view name) const {
        const json::value* v = object_.if_contains({name.data(), name.size()});
        return v == nullptr || v->is_null() ? nullptr : v;
    }

    const json::object& object_;
    std::optional<error_info> mistake_{};
};

/// Whether it leaves out no job.
bool selects_all(const job_selection& s) {
    return s.queue.empty() && s.entrypoint.empty() && s.states == any_state && s.headers.empty() && s.reason.empty() &&
           !s.enqueued_since && !s.enqueued_before && s.after == before_all_jobs && s.last == last_of_all_jobs;
}
void check_search(body_reader& r, const std::string& search) {
    const auto found = parse_search(search, {});
    if (!found) r.refuse(found.error());
    else if (selects_all(*found) && !r.flag("all")) r.fail("all", "true, and an empty search means all jobs");
}

order read_act(body_reader& r) {
    act_order o{.ids = r.ids("ids"),
                .to_queue = r.text("to_queue"),
                .to_entrypoint = r.text("to_entrypoint"),
                .preview = r.flag("preview")};
    const std::string what = r.required("action");
    bool known = false;
    for (const auto each :
         {job_action::cancel, job_action::requeue, job_action::run_now, job_action::drop, job_action::move})
        if (name_of(each) == what) o.what = each, known = true;
    if (!known) r.fail("action", "cancel, requeue, run-now, drop or move");
    if (r.has("q")) o.search = r.text("q");
    o.group = r.group("group");
    if ((o.ids.empty() ? 0 : 1) + (o.search ? 1 : 0) + (o.group ? 1 : 0) != 1)
        r.fail("ids", "there, or \"q\" or \"group\" is: one of them");
    if (o.search) check_search(r, *o.search);
    if (o.what == job_action::move && (o.to_queue.empty() || o.to_entrypoint.empty()))
        r.fail("to_queue", "there with \"to_entrypoint\", where the jobs go");
    return o;
}

order read_pause(body_reader& r, bool pauses) {
    pause_order o{.queue = r.text("queue"), .entrypoint = r.text("entrypoint"), .reason = r.text("reason")};
    if (o.queue.empty() && !r.flag("all")) r.fail("all", "true, and no queue means all queues");
    if (!pauses) return o;
    const std::string kind = r.required("kind");
    if (kind != "paused" && kind != "draining") r.fail("kind", "paused or draining");
    if (o.reason.empty()) r.fail("reason", "a text that is not empty");
    o.kind = kind == "draining" ? pause_kind::draining : pause_kind::paused;
    return o;
}

order read_schedule(body_reader& r) {
    schedule_order o{.queue = r.required("queue"), .name = r.required("name"), .reason = r.text("reason")};
    const std::string change = r.required("change");
    if (change == "fire") o.change = schedule_change::fire_now;
    else if (change == "resume") o.change = schedule_change::resume;
    else if (change != "pause") r.fail("change", "fire, pause or resume");
    return o;
}

order read_limit(body_reader& r) {
    limit_order o{.queue = r.required("queue"), .amount = r.number("amount", 0), .burst = r.number("burst", 1)};
    o.of.entrypoint = r.text("entrypoint");
    const auto number = r.number("number", 0).value_or(0);
    if (number > std::numeric_limits<std::int16_t>::max()) r.fail("number", "the number of a limit");
    o.of.limit.number = static_cast<std::int16_t>(number);
    const std::string kind = r.required("kind");
    bool known = false;
    for (const auto each : {limit_kind::running, limit_kind::running_by_key, limit_kind::rate})
        if (pgq::name_of(each) == kind) o.of.limit.kind = each, known = true;
    if (!known) r.fail("kind", "running, running_by_key or rate");
    if (r.has("per")) {
        o.per = detail::read_duration(r.text("per"));
        if (!o.per || *o.per < std::chrono::microseconds{1}) r.fail("per", "a time such as 500ms, 10s or 1min");
    }
    if (!o.amount && !o.burst && !o.per) r.fail("amount", "there, nor are burst and per: nothing to set");
    if (o.of.limit.kind != limit_kind::rate && (o.burst || o.per))
        r.fail("kind", "rate, so it has no burst and period");
    return o;
}

std::string quoted(std::string_view text) {
    std::string out;
    (void)detail::json_text::append_quoted(out, detail::make_storable(text, 500));
    return out;
}

std::string member(std::string_view name, std::string_view value) {
    return value.empty() ? std::string{} : ' ' + std::string{name} + '=' + quoted(value);
}

struct describer {
    std::string operator()(const act_order& o) const {
        std::string out = (o.preview ? "preview " : "") + std::string{name_of(o.what)};
        if (o.search) out += " q=" + quoted(*o.search);
        else if (o.group) out += " lane=" + std::to_string(o.group->lane.value) + " group=" + quoted(o.group->reason);
        else {
            out += " ids=";
            for (std::size_t i = 0; i < o.ids.size() && i < 20; ++i)
                out += (i == 0 ? "" : ",") + std::to_string(o.ids[i].value);
            if (o.ids.size() > 20) out += ",... (" + std::to_string(o.ids.size()) + ")";
        }
        return out + member("to_queue", o.to_queue) + member("to_entrypoint", o.to_entrypoint);
    }
    std::string operator()(const pause_order& o) const {
        const std::string what = !o.kind ? "resume" : *o.kind == pause_kind::paused ? "pause" : "drain";
        return what + (o.queue.empty() ? " all" : "") + member("queue", o.queue) + member("entrypoint", o.entrypoint) +
               member("reason", o.reason);
    }
    std::string operator()(const schedule_order& o) const {
        const std::string what = o.change == schedule_change::fire_now ? "fire"
                                 : o.change == schedule_change::resume ? "resume"
                                                                       : "pause";
        return what + "-schedule" + member("queue", o.queue) + member("name", o.name) + member("reason", o.reason);
    }
    std::string operator()(const limit_order& o) const {
        std::string out = "set-limit" + member("queue", o.queue) + member("entrypoint", o.of.entrypoint) +
                          " kind=" + std::string{pgq::name_of(o.of.limit.kind)} +
                          " number=" + std::to_string(o.of.limit.number);
        if (o.amount) out += " amount=" + std::to_string(*o.amount);
        if (o.burst) out += " burst=" + std::to_string(*o.burst);
        if (o.per) out += " per=", detail::append_duration(out, *o.per);
        return out;
    }
    std::string operator()(const forget_order& o) const {
        return "forget-worker worker=" + std::to_string(o.worker.value) + (o.forced ? " forced" : "");
    }
    std::string operator()(const stop_order& o) const { return "stop operation=" + std::to_string(o.operation); }
};

}  // namespace

bool is_action_path(std::string_view path) noexcept {
    constexpr std::array<std::string_view, 7> all{"/api/act",   "/api/pause",  "/api/resume", "/api/schedule",
                                                  "/api/limit", "/api/forget", "/api/stop"};
    return std::find(all.begin(), all.end(), path) != all.end();
}

result<order> parse_order(std::string_view path, std::string_view body) {
    boost::system::error_code error;
    const json::value v = json::parse({body.data(), body.size()}, error);
    if (error || !v.is_object()) return wrong("the body is not a JSON object");
    if (!detail::is_storable_text(body)) return wrong("the body is not UTF-8 text");
    body_reader r{v.get_object()};
    order o;
    if (path == "/api/act") o = read_act(r);
    else if (path == "/api/pause" || path == "/api/resume") o = read_pause(r, path == "/api/pause");
    else if (path == "/api/schedule") o = read_schedule(r);
    else if (path == "/api/limit") o = read_limit(r);
    else if (path == "/api/forget") o = forget_order{{r.number("worker", 1).value_or(0)}, r.flag("force")};
    else o = stop_order{r.number("operation", 1).value_or(0)};
    if (r.mistake()) return *r.mistake();
    return o;
}

std::string describe(const order& o) { return std::visit(describer{}, o); }

std::string audit_name(const std::string& user) {
    const auto is_plain = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' ||
               c == '@' || c == '-';
    };
    return std::all_of(user.begin(), user.end(), is_plain) ? user : quoted(user);
}

}  // namespace pgq::web
