#include <pgq/concept/driver.hpp>
#include <pgq/driver/memory.hpp>

#include "compile_fail/fakes.hpp"

#include <cstdint>
#include <span>
#include <vector>

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
    result<std::int32_t> cancel(std::span<const job_id>);
};
static_assert(!can_administrate<cannot_cancel> && !driver_policy<driver_of<cannot_cancel>>);

struct cannot_find_lanes : fakes::session {
    result<std::vector<lane_id>> lanes(std::string_view);
};
static_assert(!can_find_lanes<cannot_find_lanes> && !driver_policy<driver_of<cannot_find_lanes>>);

}  // namespace
