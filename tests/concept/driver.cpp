#include <pgq/concept/copy.hpp>
#include <pgq/concept/driver.hpp>
#include <pgq/driver/borrow.hpp>
#include <pgq/driver/memory.hpp>
#include <pgq/driver/pool.hpp>

#include "compile_fail/fakes.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace concept_driver {

namespace {

using namespace pgq;

static_assert(worker_driver<driver::memory> && worker_session<driver::memory::session>);
static_assert(!can_copy<driver::memory::session> && !can_copy<fakes::session>);
static_assert(worker_driver<fakes::driver> && worker_session<fakes::session>);
static_assert(!async_driver<fakes::driver>);

template <class Session>
struct driver_of {
    using policy_category = driver_tag;
    using session = Session;
    result<session> connect(session_role) const;
    result<void> install() const;
};
static_assert(driver_policy<driver_of<fakes::session>>);

struct async : driver_of<fakes::session> {
    static constexpr bool is_async = true;
    struct async_client {};
    int get_executor() const;
};
static_assert(async_driver<async>);

struct async_without_a_client : driver_of<fakes::session> {
    static constexpr bool is_async = true;
    int get_executor() const;
};
static_assert(driver_policy<async_without_a_client> && !async_driver<async_without_a_client>);

struct not_async : driver_of<fakes::session> {
    static constexpr bool is_async = false;
};
static_assert(driver_policy<not_async> && !async_driver<not_async>);

struct of_another_category : fakes::driver {
    using policy_category = executor_tag;
};
static_assert(!driver_policy<of_another_category>);

struct without_session {
    using policy_category = driver_tag;
    result<fakes::session> connect(session_role) const;
    result<void> install() const;
};
static_assert(!can_connect<without_session> && !driver_policy<without_session>);

struct that_changes_by_connecting : driver_of<fakes::session> {
    result<session> connect(session_role);
};
static_assert(!can_connect<that_changes_by_connecting>);

struct that_installs_nothing : driver_of<fakes::session> {
    void install() const;
};
static_assert(!can_install<that_installs_nothing> && !driver_policy<that_installs_nothing>);

// A session lacks one verb at a time. Without a verb of a client there is no driver;
struct pinned : fakes::session {
    pinned(pinned&&) = delete;
};
static_assert(!client_session<pinned>);

struct cannot_find_lanes : fakes::session {
    result<std::vector<lane_id>> lanes(std::string_view);
};
static_assert(!can_find_lanes<cannot_find_lanes> && !client_session<cannot_find_lanes> &&
              !driver_policy<driver_of<cannot_find_lanes>>);

struct cannot_change_a_limit : fakes::session {
    result<void> change_limit(std::string_view, const lane_limit&);
};
static_assert(!can_limit<cannot_change_a_limit> && !client_session<cannot_change_a_limit> &&
              !driver_policy<driver_of<cannot_change_a_limit>>);

struct cannot_enqueue : fakes::session {
    void enqueue() {}
};
static_assert(!can_enqueue<cannot_enqueue> && !client_session<cannot_enqueue> &&
              !driver_policy<driver_of<cannot_enqueue>>);

struct cannot_enqueue_tracked : fakes::session {
    result<std::vector<enqueued_job>> enqueue_tracked(const tracked_request&);
};
static_assert(!can_enqueue_tracked<cannot_enqueue_tracked> && !client_session<cannot_enqueue_tracked> &&
              !driver_policy<driver_of<cannot_enqueue_tracked>>);

struct cannot_cancel : fakes::session {
    result<std::int64_t> cancel(std::span<const job_id>);
};
static_assert(!can_administrate<cannot_cancel> && !client_session<cannot_cancel> &&
              !driver_policy<driver_of<cannot_cancel>>);

struct finds_without_an_answer : fakes::session {
    void find(const find_request&, std::vector<job_id>&);
};
static_assert(!can_inspect<finds_without_an_answer> && !client_session<finds_without_an_answer> &&
              !driver_policy<driver_of<finds_without_an_answer>>);

struct knows_no_failures : fakes::session {
    void failures(job_id);
};
static_assert(!can_inspect<knows_no_failures> && !client_session<knows_no_failures> &&
              !driver_policy<driver_of<knows_no_failures>>);

struct cannot_count_open_jobs : fakes::session {
    result<bool> open_jobs(lane_id, std::int64_t);
};
static_assert(!can_inspect<cannot_count_open_jobs> && !client_session<cannot_count_open_jobs> &&
              !driver_policy<driver_of<cannot_count_open_jobs>>);

struct knows_no_dead_letters : fakes::session {
    result<void> set_dead_letter_routes(lane_id);
};
static_assert(!can_inspect<knows_no_dead_letters> && !client_session<knows_no_dead_letters> &&
              !driver_policy<driver_of<knows_no_dead_letters>>);

struct knows_no_progress : fakes::session {
    result<std::string> progress_of(job_id);
};
static_assert(!can_read_progress<knows_no_progress> && !client_session<knows_no_progress> &&
              !driver_policy<driver_of<knows_no_progress>>);

// without one of a worker there is a driver, on which no worker runs.
struct cannot_sync : fakes::session {
    sync_reply sync(const sync_request&, sync_reply&);
};
static_assert(!can_sync<cannot_sync> && client_session<cannot_sync> && !worker_session<cannot_sync>);
static_assert(driver_policy<driver_of<cannot_sync>> && !worker_driver<driver_of<cannot_sync>>);

struct cannot_be_interrupted_surely : fakes::session {
    void interrupt() {}
};
static_assert(!can_wait<cannot_be_interrupted_surely> && client_session<cannot_be_interrupted_surely> &&
              !worker_session<cannot_be_interrupted_surely>);
static_assert(driver_policy<driver_of<cannot_be_interrupted_surely>> &&
              !worker_driver<driver_of<cannot_be_interrupted_surely>>);

struct cannot_beat : fakes::session {
    result<bool> beat(worker_id);
};
static_assert(!can_register<cannot_beat> && client_session<cannot_beat> && !worker_session<cannot_beat>);
static_assert(driver_policy<driver_of<cannot_beat>> && !worker_driver<driver_of<cannot_beat>>);

struct watches_one : fakes::session {
    result<ended_job> watch(job_id, duration);
};
static_assert(!can_watch<watches_one> && client_session<watches_one> && !worker_session<watches_one>);
static_assert(driver_policy<driver_of<watches_one>> && !worker_driver<driver_of<watches_one>>);

struct knows_no_flags : fakes::session {
    result<std::vector<lease_ref>> lease_updates(worker_id);
};
static_assert(!can_follow_leases<knows_no_flags> && client_session<knows_no_flags> && !worker_session<knows_no_flags>);
static_assert(driver_policy<driver_of<knows_no_flags>> && !worker_driver<driver_of<knows_no_flags>>);

struct may_throw_when_asked : fakes::session {
    bool take_stop_request() { return false; }
};
static_assert(!can_follow_leases<may_throw_when_asked> && client_session<may_throw_when_asked> &&
              !worker_session<may_throw_when_asked>);
static_assert(driver_policy<driver_of<may_throw_when_asked>> && !worker_driver<driver_of<may_throw_when_asked>>);

struct cannot_sweep : fakes::session {
    result<std::int64_t> expire_and_purge();
};
static_assert(!can_expire_and_purge<cannot_sweep> && client_session<cannot_sweep> && !worker_session<cannot_sweep>);
static_assert(driver_policy<driver_of<cannot_sweep>> && !worker_driver<driver_of<cannot_sweep>>);

struct revises_without_an_answer : fakes::session {
    void revise(const revision&);
};
static_assert(!can_revise<revises_without_an_answer> && client_session<revises_without_an_answer> &&
              !worker_session<revises_without_an_answer>);
static_assert(driver_policy<driver_of<revises_without_an_answer>> &&
              !worker_driver<driver_of<revises_without_an_answer>>);

// A driver that lends needs a loan that can be moved, gives its session and can be discarded.
struct fine_loan {
    fakes::session* lent;
    fakes::session& get() const noexcept { return *lent; }
    void discard() noexcept {}
};
template <class Loan>
struct lending : driver_of<fakes::session> {
    using loan = Loan;
    result<Loan> borrow() const;
};
static_assert(lending_driver<lending<fine_loan>> && lending_driver<driver::pool<fakes::driver>>);
static_assert(!lending_driver<fakes::driver> && !lending_driver<driver::memory>);
static_assert(driver_policy<driver::pool<fakes::driver>> && !async_driver<driver::pool<fakes::driver>>);

struct pinned_loan : fine_loan {
    pinned_loan(pinned_loan&&) = delete;
};
struct loan_of_a_copy : fine_loan {
    fakes::session get() const noexcept { return *lent; }
};
struct loan_for_good : fine_loan {
    void discard() noexcept = delete;
};
struct loan_that_may_throw : fine_loan {
    void discard() {}
};
static_assert(!lending_driver<lending<pinned_loan>> && !lending_driver<lending<loan_of_a_copy>>);
static_assert(!lending_driver<lending<loan_for_good>> && !lending_driver<lending<loan_that_may_throw>>);

struct that_borrows_for_writing : driver_of<fakes::session> {
    using loan = typename lending<fine_loan>::loan;
    result<loan> borrow();
};
static_assert(!lending_driver<that_borrows_for_writing>);

// On a connection of the program's there are the verbs of a client, and no others.
static_assert(driver_policy<driver::borrow> && client_session<driver::borrow::session>);
static_assert(!worker_driver<driver::borrow> && !can_sync<driver::borrow::session>);
static_assert(!can_wait<driver::borrow::session> && !can_register<driver::borrow::session>);
static_assert(!lending_driver<driver::borrow> && !async_driver<driver::borrow>);

}  // namespace

}  // namespace concept_driver
