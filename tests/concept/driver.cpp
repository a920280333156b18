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

static_assert(driver_policy<driver::memory> && driver_session<driver::memory::session>);
static_assert(driver_policy<fakes::driver> && driver_session<fakes::session>);
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
};
static_assert(async_driver<async>);

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

// A session lacks one verb at a time.
struct pinned : fakes::session {
    pinned(pinned&&) = delete;
};
static_assert(!driver_session<pinned>);

struct cannot_enqueue : fakes::session {
    void enqueue() {}
};
static_assert(!can_enqueue<cannot_enqueue> && !driver_policy<driver_of<cannot_enqueue>>);

struct cannot_exchange : fakes::session {
    exchange_reply exchange(const exchange_request&, exchange_reply&);
};
static_assert(!can_exchange<cannot_exchange> && !driver_policy<driver_of<cannot_exchange>>);

struct cannot_be_interrupted_surely : fakes::session {
    void interrupt() {}
};
static_assert(!can_wait<cannot_be_interrupted_surely> && !driver_policy<driver_of<cannot_be_interrupted_surely>>);

struct cannot_beat : fakes::session {
    result<bool> beat(worker_id);
};
static_assert(!can_register<cannot_beat> && !driver_policy<driver_of<cannot_beat>>);

struct cannot_cancel : fakes::session {
    result<std::int64_t> cancel(std::span<const job_id>);
};
static_assert(!can_administrate<cannot_cancel> && !driver_policy<driver_of<cannot_cancel>>);

struct cannot_find_lanes : fakes::session {
    result<std::vector<lane_id>> lanes(std::string_view);
};
static_assert(!can_find_lanes<cannot_find_lanes> && !driver_policy<driver_of<cannot_find_lanes>>);

struct cannot_enqueue_tracked : fakes::session {
    result<std::vector<enqueued_job>> enqueue_tracked(const tracked_request&);
};
static_assert(!can_track<cannot_enqueue_tracked> && !driver_policy<driver_of<cannot_enqueue_tracked>>);

struct watches_one : fakes::session {
    result<ended_job> watch(job_id, duration);
};
static_assert(!can_track<watches_one> && !driver_policy<driver_of<watches_one>>);

struct knows_no_flags : fakes::session {
    result<std::vector<lease_ref>> leases_now(worker_id);
};
static_assert(!can_track<knows_no_flags> && !driver_policy<driver_of<knows_no_flags>>);

struct may_throw_when_asked : fakes::session {
    bool stop_asked() { return false; }
};
static_assert(!can_track<may_throw_when_asked> && !driver_policy<driver_of<may_throw_when_asked>>);

struct cannot_sweep : fakes::session {
    result<std::int64_t> sweep();
};
static_assert(!can_track<cannot_sweep> && !driver_policy<driver_of<cannot_sweep>>);

struct revises_without_an_answer : fakes::session {
    void revise(const revision&);
};
static_assert(!can_revise<revises_without_an_answer> && !driver_policy<driver_of<revises_without_an_answer>>);

struct knows_no_progress : fakes::session {
    result<std::string> progress_of(job_id);
};
static_assert(!can_revise<knows_no_progress> && !driver_policy<driver_of<knows_no_progress>>);

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

// What needs a connection of the program's is a driver like any other, though it runs no worker.
static_assert(driver_policy<driver::borrow> && driver_session<driver::borrow::session>);
static_assert(!lending_driver<driver::borrow> && !async_driver<driver::borrow>);

}  // namespace

}  // namespace concept_driver
