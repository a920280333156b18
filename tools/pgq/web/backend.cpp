#include "backend.hpp"

#include <charconv>
#include <cstddef>
#include <utility>

namespace pgq::web {

namespace {

constexpr std::size_t most_answers = 32, most_operations = 32;

shared_response shared(response r) { return std::make_shared<const response>(std::move(r)); }

response busy() { return error_response(503, "too many requests wait for the database", "try again in a moment"); }

}  // namespace

backend::backend(const driver::libpq& for_reads, const driver::libpq& for_actions, payload_view decode, settings s)
    : settings_{std::move(s)},
      reads_{for_reads, std::move(decode), settings_.read_only},
      few_{for_actions},
      many_{for_actions} {}

backend::~backend() {
    for (const auto& [id, o] : operations_) o->stop();
}

bool backend::get(const request_target& t, const std::string& target, reply done) {
    if (t.path == "/api/operation") {
        done(shared(report_of(t.get("id"))));
        return true;
    }
    if (!reads::knows(t.path)) return false;
    const std::string key = std::to_string(generation_) + ' ' + target;
    auto& entry = answers_[key];
    if (entry.answer && clock::now() < entry.until) {
        done(entry.answer);
        return true;
    }
    entry.waiting.push_back(std::move(done));
    if (entry.waiting.size() == 1) start(key, t);
    return true;
}

void backend::start(const std::string& key, const request_target& t) {
    const int seconds = reads::seconds_to_share(t);
    const bool taken = reading_.post([this, key, seconds, t] {
        auto answer = shared(reads_.answer(t));
        settings_.post([this, key, seconds, answer] { finish(key, seconds, answer); });
    });
    if (!taken) finish(key, 0, shared(busy()));
}

void backend::finish(const std::string& key, int seconds, const shared_response& answer) {
    auto& entry = answers_[key];
    const auto waiting = std::exchange(entry.waiting, {});
    entry.answer = answer;
    // The moment is a little shorter than the interval of the sampler, which asks for the same.
    entry.until = clock::now() + std::chrono::milliseconds{answer->status == 200 ? seconds * 900 : 500};
    for (auto at = answers_.begin(); at != answers_.end();) {
        const bool old =
            at->second.waiting.empty() && (at->second.until <= clock::now() || answers_.size() > most_answers);
        at = old ? answers_.erase(at) : std::next(at);
    }
    for (const auto& each : waiting) each(answer);
}

bool backend::post(const request_target& t, const request& r, const std::string& user, reply done) {
    if (!is_action_path(t.path)) return false;
    const auto o = parse_order(t.path, r.body);
    if (!o) {
        done(shared(error_response(400, o.error().message, o.error().hint)));
        return true;
    }
    const std::string who = r.peer + ' ' + audit_name(user);
    if (settings_.read_only) {
        settings_.audit(who + ' ' + describe(*o) + " refused: read-only");
        done(shared(error_response(403, "this page was started with --read-only")));
        return true;
    }
    if (const auto* stop = std::get_if<stop_order>(&*o)) {
        settings_.audit(who + ' ' + describe(*o));
        const auto found = operations_.find(stop->operation);
        if (found != operations_.end()) found->second->stop();
        done(shared(report_of(std::to_string(stop->operation))));
        return true;
    }
    const auto* act = std::get_if<act_order>(&*o);
    if (act != nullptr && (act->search || act->group) && !act->preview) perform_on_all(*act, who, done);
    else perform(*o, who, std::move(done));
    return true;
}

void backend::perform(const order& o, const std::string& who, reply done) {
    const auto* act = std::get_if<act_order>(&o);
    const bool changes = act == nullptr || !act->preview;
    const bool taken = acting_.post([this, o, who, done, changes] {
        auto result = few_.perform(o);
        if (changes) settings_.audit(who + ' ' + describe(o) + ' ' + result.outcome);
        settings_.post([this, changes, done, answer = shared(std::move(result.answer))] {
            if (changes) forget_answers();
            done(answer);
        });
    });
    if (!taken) done(shared(busy()));
}

void backend::perform_on_all(const act_order& o, const std::string& who, const reply& done) {
    const auto op = std::make_shared<operation>(++last_operation_);
    const bool taken = acting_on_all_.post([this, o, who, op] {
        settings_.audit(who + ' ' + describe(o) + " begins, operation=" + std::to_string(op->id()));
        const auto outcome = many_.perform(o, *op);
        settings_.audit(who + ' ' + describe(o) + ' ' + outcome);
        settings_.post([this] { forget_answers(); });
    });
    if (!taken) return done(shared(busy()));
    operations_.emplace(op->id(), op);
    if (operations_.size() > most_operations) operations_.erase(operations_.begin());
    done(shared({.status = 202, .body = R"({"operation":)" + std::to_string(op->id()) + '}'}));
}

void backend::forget_answers() {
    ++generation_;
    if (settings_.changed) settings_.changed();
}

response backend::report_of(std::string_view id) const {
    std::int64_t n = 0;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), n);
    const auto found = error == std::errc{} ? operations_.find(n) : operations_.end();
    if (found == operations_.end()) return error_response(404, "there is no such operation, or it ended long ago");
    const auto now = found->second->now();
    const auto truth = [](bool b) { return b ? "true" : "false"; };
    response r = error_response(200, now.error);
    r.body = r.body.substr(0, r.body.size() - 1) + R"(,"done":)" + std::to_string(now.done) + R"(,"skipped":)" +
             std::to_string(now.skipped) + R"(,"finished":)" + truth(now.finished) + R"(,"stopped":)" +
             truth(now.stopped) + R"(,"failed":)" + truth(!now.error.empty()) + '}';
    return r;
}

}  // namespace pgq::web
