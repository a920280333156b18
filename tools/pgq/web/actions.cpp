#include "actions.hpp"

#include "json.hpp"
#include "search.hpp"

#include <pgq/admin.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/driver/libpq.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

namespace pgq::web {

namespace {

constexpr std::int64_t most_counted = 10'000;

performed said(json::object o, std::string outcome) { return {{.body = json::serialize(o)}, std::move(outcome)}; }

std::string counts(const bulk_reply& b) {
    return "done=" + std::to_string(b.done) + " skipped=" + std::to_string(b.skipped) +
           (b.stopping == 0 ? "" : " stopping=" + std::to_string(b.stopping));
}

failure wrong(std::string what, std::string remedy = {}) {
    return failure{error_info{errc::invalid_option, std::move(what), std::move(remedy)}};
}

}  // namespace

struct actions::parts {
    explicit parts(driver::libpq d) : ops{std::move(d)} {}

    admin<driver::libpq> ops;

    performed operator()(const act_order& o) {
        if (o.preview) return preview(o);
        const auto done = act(o, {}).value();
        return said({{"done", done.done}, {"skipped", done.skipped}, {"stopping", done.stopping}}, counts(done));
    }
    performed preview(const act_order& o) {
        if (!o.search && !o.group) {
            auto ids = o.ids;
            std::sort(ids.begin(), ids.end());
            ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
            return said({{"count", ids.size()}, {"capped", false}}, "count");
        }
        const auto n = ops.preview(o.what, selection(o), most_counted).value();
        return said({{"count", n.value}, {"capped", n.capped}}, "count=" + n.text());
    }
    result<bulk_reply> act(const act_order& o, const bulk_options& how) {
        const auto with = [&](const auto& which, const auto&... rest) -> result<bulk_reply> {
            switch (o.what) {
            case job_action::cancel: return ops.cancel(which, rest...);
            case job_action::requeue: return ops.requeue(which, rest...);
            case job_action::run_now: return ops.run_now(which, rest...);
            case job_action::drop: return ops.drop(which, rest...);
            case job_action::move: return ops.move(which, target(o), rest...);
            }
            return bulk_reply{};
        };
        return o.search || o.group ? with(selection(o), how) : with(std::span<const job_id>{o.ids});
    }
    /// The lane of these names. With several versions of the payload nobody can say which one is meant.
    lane_id target(const act_order& o) {
        const auto found = ops.lanes({.queue = o.to_queue, .entrypoint = o.to_entrypoint, .most = 2}).value();
        if (found.empty())
            throw wrong("there is no entrypoint " + o.to_entrypoint + " in queue " + o.to_queue,
                        "the page \"Queues\" lists all");
        if (found.size() > 1)
            throw wrong("that entrypoint has several versions of the payload", "use pgq::admin::move with a lane");
        return found.front().id;
    }
    /// Of an order with a search or a group.
    static job_selection selection(const act_order& o) {
        if (o.group) return {.lanes = {o.group->lane}, .states = job_state::held, .group = o.group->reason};
        const auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
        return parse_search(*o.search, now).value();
    }

    performed operator()(const pause_order& o) {
        if (!o.kind) {
            const bool was = ops.resume(o.queue, o.entrypoint).value();
            return said({{"changed", was}}, was ? "done" : "nothing was paused");
        }
        if (!o.queue.empty() && ops.lanes({.queue = o.queue, .entrypoint = o.entrypoint, .most = 1}).value().empty())
            throw wrong("there is no such queue or entrypoint");
        const bool begun = *o.kind == pause_kind::paused ? ops.pause(o.queue, o.entrypoint, o.reason).value()
                                                         : ops.drain(o.queue, o.entrypoint, o.reason).value();
        return said({{"changed", begun}}, begun ? "done" : "new reason");
    }
    performed operator()(const schedule_order& o) {
        const auto reply = ops.change_schedule(o.queue, o.name, o.change, o.reason).value();
        if (!reply.changed) throw wrong("there is no such schedule, or it is in this state already");
        json::object said_back{{"changed", true}};
        if (reply.fired.job) said_back["job"] = id(reply.fired.job->value);
        if (o.change == schedule_change::fire_now && !reply.fired.job)
            throw wrong("nothing was enqueued: " +
                        (reply.fired.reason.empty() ? "another job has the unique key" : reply.fired.reason));
        return said(std::move(said_back), "done");
    }
    performed operator()(const limit_order& o) {
        const auto stored = ops.limits(o.queue).value();
        const auto found =
            std::find_if(stored.begin(), stored.end(), [&](const auto& l) { return same_limit(l, o.of); });
        if (found == stored.end()) throw wrong("the database has no such limit");
        lane_limit next = *found;
        if (o.amount) next.limit.amount = *o.amount;
        if (o.burst) next.limit.burst = *o.burst;
        if (o.per) next.limit.per = *o.per;
        if (!ops.change_limit(o.queue, next).value()) throw wrong("the limit was removed meanwhile");
        return said({{"changed", true}}, "done");
    }
    performed operator()(const forget_order& o) {
        const auto reply = ops.forget_worker(o.worker, o.forced).value();
        if (!reply.known) throw wrong("there is no such worker");
        if (!reply.forgotten) throw wrong("the worker is alive", "a worker that is gone can be forgotten");
        return said({{"forgotten", true}}, "done");
    }
    performed operator()(const stop_order&) { return said({}, {}); }  // the server does that
};

actions::actions(const driver::libpq& driver) : parts_{std::make_unique<parts>(driver)} {}
actions::~actions() = default;

performed actions::perform(const order& o) {
    try {
        return std::visit(*parts_, o);
    } catch (const failure& e) {
        const auto info = cli::explain(e.info());
        return {error_response(status_of(info), info.message, info.hint), "failed: " + info.message};
    }
}

std::string actions::perform(const act_order& o, operation& to) {
    try {
        const auto progress = [&to](const bulk_reply& b) {
            to.progress(b.done, b.skipped);
            return !to.is_stopped();
        };
        const auto sum = parts_->act(o, {.progress = progress}).value();
        to.progress(sum.done, sum.skipped);
        to.finish({});
        return counts(sum) + (sum.complete ? "" : " stopped");
    } catch (const failure& e) {
        const auto info = cli::explain(e.info());
        to.finish(info.text());
        return "failed: " + info.text();
    }
}

}  // namespace pgq::web
