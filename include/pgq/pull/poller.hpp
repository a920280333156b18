#pragma once

#include <pgq/client/stored_options.hpp>
#include <pgq/compose/monitor.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/error/result.hpp>
#include <pgq/event/events.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/exchange.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/services.hpp>
#include <pgq/job/traits.hpp>
#include <pgq/pull/get_job.hpp>
#include <pgq/pull/lease_owner.hpp>
#include <pgq/pull/polled_job.hpp>
#include <pgq/pull/session_cache.hpp>
#include <pgq/pull/wait_for_job.hpp>
#include <pgq/version.hpp>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {
namespace detail {

inline result<void> check(const poll_options& o) {
    using namespace std::chrono_literals;
    if (o.prefetch < 1) return error_info{errc::invalid_option, "prefetch is 0", "at least the job in hand is claimed"};
    if (o.max_attempts < 1) return error_info{errc::invalid_option, "max_attempts is less than 1"};
    if (o.lease_time < 100ms || o.lease_time > 24h)
        return error_info{errc::invalid_option, "lease_time is not between 100 ms and a day"};
    return o.where.check();
}

/// What a poller has to know of its queue: the limits that hold for all workers are those of a name and an entrypoint.
struct polled {
    std::string queue{};
    std::string entrypoint{};
    std::vector<lane_limit> declared{};
};

/// A small worker without handlers: it registers, beats, claims, and tells what others say about its jobs. Each job is a lease of
/// its own, so that an answer in somebody's transaction keeps nobody from answering for the others.
template <class Driver, class Observer>
class poll_worker final : public lease_owner {
    using session = typename Driver::session;

public:
    poll_worker(const Driver& driver, Observer& observer, polled of, poll_options options)
        : driver_{&driver},
          of_{std::move(of)},
          options_{std::move(options)},
          monitor_{driver, observer, options_.lease_time, [this] { lost_.store(true); }, [] {}} {}
    ~poll_worker() override { close(); }

    const poll_options& options() const noexcept { return options_; }
    std::int16_t max_attempts() const noexcept override { return options_.max_attempts; }

    /// The next job that is claimed, from now on, or nothing.
    result<std::optional<claimed_lease>> claim(const std::vector<lane_id>& lanes, std::optional<duration>& due) {
        const std::lock_guard lock{mutex_};
        if (auto able = get_ready(lanes); !able) return std::move(able.error());
        if (waiting_.empty())
            if (auto claimed = claim_more(lanes, due); !claimed) return std::move(claimed.error());
        if (waiting_.empty()) return std::optional<claimed_lease>{};
        std::optional<claimed_lease> next{std::move(waiting_.front())};
        waiting_.pop_front();
        return next;
    }

    result<void> answer(const lease_ref& lease, const settlement& what) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return mine;
        auto said = tell(held_.at(lease.id), what);
        if (!said && said.error() == errc::lease_lost && search(lease.id)) said = tell(held_.at(lease.id), what);
        if (said || said.error() == errc::lease_lost) held_.erase(lease.id);
        return said;
    }
    result<void> revise(const lease_ref& lease, job_id job, std::string_view body) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return mine;
        auto done = session_->revise({.worker = worker_, .lease = lease.id, .job = job, .body = body});
        if (done) return done;
        if (done.error() == errc::lease_lost) held_.erase(lease.id);
        return over(std::move(done.error()));
    }
    result<facts> look_up(const lease_ref& lease) override {
        const std::lock_guard lock{mutex_};
        if (auto mine = find(lease); !mine) return std::move(mine.error());
        facts f{.worker = worker_};
        if constexpr (requires { session_->line().options().schema; }) f.schema = session_->line().options().schema;
        return f;
    }
    void answered_elsewhere(const lease_ref& lease) noexcept override {
        const std::lock_guard lock{mutex_};
        held_.erase(lease.id);
        leaves_rows_ = true;
    }

    /// Gives back what is not answered for.
    void close() noexcept {
        monitor_.stop();
        const std::lock_guard lock{mutex_};
        if (closed_) return;
        closed_ = true;
        waiting_.clear();
        if (!session_) return;
        try {
            // A row that somebody's transaction has deleted and not committed would keep us waiting for that. Whoever finds our heartbeat
            // missing looks after it.
            if (leaves_rows_) (void)session_->give_back(refs());
            else (void)session_->retire(worker_);
            session_.reset();
        } catch (...) {  // then they come back when the lease time is over
        }
    }

private:
    struct holding {
        lease_ref ref{};
        lane_id lane{};
    };

    // Somebody may wait to hear what became of it, though nobody did when it was claimed.
    result<void> tell(const holding& held, const settlement& what) {
        const std::string mask{'\1'};
        const lease_progress told{.ref = held.ref, .last = true, .mask = mask, .items = {&what, 1}, .flagged = true};
        exchange_reply reply;
        exchange_request r{.worker = worker_, .progressed = {&told, 1}};
        if (limited_) r.freed = {&held.lane, 1};
        if (auto said = exchange(r, reply); !said) return said;
        if (!reply.lost.empty()) return errc::lease_lost;
        return {};
    }
    // Whether a lease that was not where it was is somewhere else.
    bool search(std::int64_t id) {
        auto now = session_->leases_now(worker_);
        if (!now) return false;
        const auto found = std::find_if(now->begin(), now->end(), [&](const lease_news& n) { return n.ref.id == id; });
        if (found == now->end()) return false;
        held_.at(id).ref = found->ref;
        return true;
    }
    std::vector<lease_ref> refs() const {
        std::vector<lease_ref> all;
        for (const auto& [id, h] : held_) all.push_back(h.ref);
        return all;
    }
    result<void> find(const lease_ref& lease) {
        if (closed_) return errc::closed;
        if (auto able = get_ready(lanes_); !able) return able;
        if (!held_.contains(lease.id)) return errc::lease_lost;
        return {};
    }

    result<void> get_ready(const std::vector<lane_id>& lanes) {
        if (closed_) return errc::closed;
        lanes_ = lanes;
        if (!session_) {
            auto opened = driver_->connect(session_role::worker);
            if (!opened) return std::move(opened.error());
            session_.emplace(std::move(*opened));
            if (worker_ != worker_id{} && !lost_)
                if (auto compared = compare(); !compared) return over(std::move(compared.error()));
        }
        if (worker_ != worker_id{} && !lost_.exchange(false)) return {};
        held_.clear();
        waiting_.clear();
        return enroll();
    }
    result<void> enroll() {
        char host[256] = "?";
        (void)::gethostname(host, sizeof host - 1);
        if (auto known = find_limits(); !known) return over(std::move(known.error()));
        auto id = session_->register_worker({.host = host,
                                             .pid = static_cast<std::int32_t>(::getpid()),
                                             .version = PGQ_VERSION,
                                             .lease_time = options_.lease_time,
                                             .lanes = lanes_});
        if (!id) {
            lost_ = worker_ != worker_id{};
            return over(std::move(id.error()));
        }
        const bool first = worker_ == worker_id{};
        worker_ = *id;
        if (first) monitor_.start(worker_);
        else monitor_.follow(worker_);
        return {};
    }
    // What the queue's limiters declare is made where it is missing. A job that is handed out is one that has begun, so of a lane with
    // limits none is claimed ahead.
    result<void> find_limits() {
        auto found = session_->limits(of_.queue, of_.declared);
        if (!found) return std::move(found.error());
        limited_ = std::any_of(found->begin(), found->end(), [&](const lane_limit& l) {
            return l.entrypoint.empty() || l.entrypoint == of_.entrypoint;
        });
        if (!limited_ || options_.where.is_everything()) return {};
        return error_info{errc::invalid_option, "a filter on jobs with limits that hold for all workers",
                          "poll without `where`, or give those that are wanted a queue of their own"};
    }
    // On a new connection: what is still ours, and what was claimed without our having heard of it.
    result<void> compare() {
        auto theirs = session_->leases_of(worker_);
        if (!theirs) return std::move(theirs.error());
        std::map<std::int64_t, holding> still;
        std::vector<lease_ref> unheard;
        for (const lease_ref& ref : *theirs) {
            if (const auto mine = held_.find(ref.id); mine != held_.end()) still.emplace(*mine);
            else if (!leaves_rows_) unheard.push_back(ref);
        }
        held_ = std::move(still);
        std::erase_if(waiting_, [&](const claimed_lease& l) { return !held_.contains(l.ref.id); });
        if (unheard.empty()) return {};
        return session_->give_back(unheard);
    }

    result<void> claim_more(const std::vector<lane_id>& lanes, std::optional<duration>& due) {
        std::vector<claim_lane> from;
        std::vector<limited_lane> one_by_one;
        for (const lane_id lane : lanes) {
            from.push_back({.lane = lane, .max_attempts = options_.max_attempts});
            one_by_one.push_back({.lane = lane, .most = 1, .max_attempts = options_.max_attempts});
        }
        exchange_request r{.worker = worker_, .promote = true, .look_ahead = true};
        if (limited_) r.limited = one_by_one, r.limited_room = 1;
        else r.lanes = from, r.limit = options_.prefetch, r.apart = &options_.where;
        exchange_reply reply;
        if (auto claimed = exchange(r, reply); !claimed) return claimed;
        due = reply.next_due;
        if (reply.again) due = std::min(due.value_or(*reply.again), *reply.again);
        std::sort(reply.leases.begin(), reply.leases.end(), [](const claimed_lease& a, const claimed_lease& b) {
            return std::pair{a.jobs.front().rank, a.jobs.front().id} <
                   std::pair{b.jobs.front().rank, b.jobs.front().id};
        });
        for (auto& lease : reply.leases) {
            held_.emplace(lease.ref.id, holding{lease.ref, lease.lane});
            waiting_.push_back(std::move(lease));
        }
        return {};
    }
    result<void> exchange(const exchange_request& r, exchange_reply& reply) {
        auto done = session_->exchange(r, reply);
        if (!done && done.error() == errc::worker_lost) lost_ = true;
        if (!done) return over(std::move(done.error()));
        return done;
    }
    error_info over(error_info e) {
        if (e == condition::transient && e != errc::worker_lost) session_.reset();
        return e;
    }

    const Driver* driver_;
    polled of_;
    poll_options options_;
    std::mutex mutex_;
    std::optional<session> session_{};
    worker_id worker_{};
    std::vector<lane_id> lanes_{};
    std::deque<claimed_lease> waiting_{};     // claimed, and given to nobody yet
    std::map<std::int64_t, holding> held_{};  // not answered for, those that wait among them
    bool limited_ = false;
    bool leaves_rows_ = false;
    bool closed_ = false;
    std::atomic<bool> lost_{false};
    monitor<Driver, Observer> monitor_;
};

}  // namespace detail

/// Jobs of one type, one after the other, each answered for by its taker: `for (auto& job : jobs.poll<mail>()) { send(*job); job.ack(); }`.
///
/// The loop ends when there was no job for the timeout, and may be entered again; what fails throws `failure` there. `next()` is the same for those who
/// do without the loop, and may be called from several threads. While this lives it keeps its jobs, by a heartbeat from a thread and a connection of its own;
/// with it, whatever has no answer yet is given back at once, those attempts not counted.
template <class Queue, class Job>
class poller {
    using composition = typename Queue::composition_type;
    using driver_type = typename Queue::driver_type;
    using observer_type = typename Queue::observer_type;
    using desk_type = detail::poll_worker<driver_type, observer_type>;

public:
    class iterator {
    public:
        using iterator_concept = std::input_iterator_tag;
        using value_type = polled_job<Job>;
        using difference_type = std::ptrdiff_t;

        explicit iterator(poller& p) : poller_{&p} { poller_->advance(); }
        iterator(iterator&&) noexcept = default;
        iterator& operator=(iterator&&) noexcept = default;

        polled_job<Job>& operator*() const noexcept { return *poller_->current_; }
        polled_job<Job>* operator->() const noexcept { return &*poller_->current_; }
        iterator& operator++() {
            poller_->advance();
            return *this;
        }
        void operator++(int) { ++*this; }
        bool operator==(std::default_sentinel_t) const noexcept { return !poller_->current_.has_value(); }

    private:
        poller* poller_;
    };

    poller(Queue& queue, detail::session_cache<driver_type>& hand, poll_options options)
        : queue_{&queue},
          cache_{&hand},
          desk_{std::make_shared<desk_type>(
              queue.driver(), queue.observer(),
              detail::polled{queue.name(), std::string{entrypoint_of<Job>}, queue.limiter_book().declared},
              std::move(options))} {}
    poller(poller&&) noexcept = default;
    poller& operator=(poller&&) = delete;
    ~poller() {
        current_.reset();
        if (desk_) desk_->close();
    }

    iterator begin() { return iterator{*this}; }
    std::default_sentinel_t end() const noexcept { return {}; }

    /// The next job, or nothing when there was none for the timeout. One that cannot be read is held, with the reason, and the next
    /// one comes.
    result<std::optional<polled_job<Job>>> next() {
        const poll_options& o = desk_->options();
        if (auto fine = detail::check(o); !fine) return std::move(fine.error());
        auto lanes = queue_->lanes();
        if (!lanes) return std::move(lanes.error());
        const detail::waiting w{.timeout = o.timeout,
                                .poll_interval = o.poll_interval,
                                .filtered = !o.where.is_everything(),
                                .job = composition::template index_of<Job>,
                                .lanes = detail::lanes_for<composition, Job>(*lanes)};
        for (;;) {
            auto lease = detail::wait_for_job(*cache_, queue_->driver(), w,
                                              [&](std::optional<duration>& due) { return desk_->claim(w.lanes, due); });
            if (!lease) return std::move(lease.error());
            if (!*lease) return std::optional<polled_job<Job>>{};
            Job job{};
            auto read = detail::try_read<composition>(*lanes, (*lease)->lane, (*lease)->jobs.front().body, job);
            const bool present = detail::version_in<composition>(*lanes, (*lease)->lane) == 0;
            if (read)
                return std::optional{
                    polled_job<Job>{desk_, std::move(**lease), std::move(job), &rest, present ? &writer : nullptr}};
            if (auto put = put_aside(**lease, std::move(read.error())); !put) return std::move(put.error());
        }
    }

private:
    static constexpr const auto& writer = detail::writer_of<Job, typename composition::template serializer_of<Job>>;

    static duration rest(const job_record& record) {
        return detail::rest_of<typename composition::template backoff_of<Job>>(record);
    }
    void advance() {
        current_.reset();
        auto found = next().value();
        if (found) current_.emplace(std::move(*found));
    }
    result<void> put_aside(const claimed_lease& lease, error_info why) {
        const auto& record = lease.jobs.front();
        why.message = "job " + std::to_string(record.id.value) + " cannot be read: " + why.message;
        const auto reason = detail::make_storable(detail::cannot_be_read(why).reason, detail::max_reason_by_hand);
        notify(queue_->observer(), event::trouble{std::move(why)});
        return desk_->answer(lease.ref, settlement{.index = record.index, .kind = settle_kind::hold, .reason = reason});
    }

    Queue* queue_;
    detail::session_cache<driver_type>* cache_;
    std::shared_ptr<desk_type> desk_;
    std::optional<polled_job<Job>> current_{};
};

/// What stands for a poller where the call was refused, so that its message stays the only one.
template <class Job>
struct no_poller {
    polled_job<Job>* begin() const noexcept { return nullptr; }
    polled_job<Job>* end() const noexcept { return nullptr; }
    result<std::optional<polled_job<Job>>> next() { return errc::invalid_option; }
};

}  // namespace pgq
