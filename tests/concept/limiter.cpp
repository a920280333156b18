#include <pgq/concept/limiter.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/limiter/rate.hpp>

#include "compile_fail/fakes.hpp"

#include <string>
#include <type_traits>
#include <vector>

namespace concept_limiter {

using namespace pgq;

namespace {

struct account {
    int number = 0;
    double balance = 0;
};
struct stranger {
    int number = 0;
};

// Limiters for one worker, for all workers, and for both.
static_assert(limiter_policy<limiter::none>);
static_assert(limiter_policy<limiter::rate<50>> && can_admit<limiter::rate<50>> && !can_declare<limiter::rate<50>>);
static_assert(can_count<limiter::concurrency<4>> && !can_declare<limiter::concurrency<4>>);
static_assert(can_declare<limiter::global_rate<100>> && !can_admit<limiter::global_rate<100>>);
static_assert(limiter_policy<limiter::serialized> &&
              std::is_same_v<limiter::serialized, limiter::global_concurrency<1>>);
static_assert(limiter_policy<limiter::all_of<limiter::rate<5>, limiter::serialized>>);
static_assert(limiter_policy<limiter::all_of<>>);

// A key must be a member of the job, of a type that has a key text.
using by_number = limiter::serialized_by<&account::number>;
static_assert(keyed_limiter<by_number> && can_key<by_number, account>);
static_assert(!can_key<by_number, stranger>);
static_assert(!can_key<limiter::serialized_by<&account::balance>, account>);
static_assert(!keyed_limiter<limiter::serialized> && !keyed_limiter<limiter::all_of<limiter::rate<5>>>);
static_assert(keyed_limiter<limiter::all_of<by_number>> &&
              can_key<limiter::all_of<limiter::rate<5>, by_number>, account>);

// Mistakes in the template arguments of a limiter.
static_assert(mistake_of<limiter::rate<50>> == limiter_error::none);
static_assert(mistake_of<limiter::rate<0>> == limiter_error::no_rate);
static_assert(mistake_of<limiter::global_rate<5, std::chrono::seconds, 0>> == limiter_error::no_burst);
static_assert(mistake_of<limiter::concurrency<-3>> == limiter_error::no_concurrency);
static_assert(mistake_of<limiter::all_of<limiter::rate<5>, limiter::serialized_by<&account::number>,
                                         limiter::concurrency_by<&account::number, 2>>> == limiter_error::two_keys);

// Classes that are no limiters.
struct without_category {
    void declare(std::vector<limit_spec>&) const {}
};
struct admits_only {
    using policy_category = limiter_tag;
    admission admit(steady_time) const noexcept { return {}; }
};
struct may_throw : admits_only {
    admission admit(steady_time) const { return {}; }
    void began(std::uint32_t, steady_time) noexcept {}
    void ended(std::uint32_t, steady_time) noexcept {}
};
struct counts_too : admits_only {
    void began(std::uint32_t, steady_time) noexcept {}
    void ended(std::uint32_t, steady_time) noexcept {}
};
struct not_copyable : counts_too {
    not_copyable() = default;
    not_copyable(const not_copyable&) = delete;
};
static_assert(!limiter_policy<int> && !limiter_policy<fakes::backoff> && !limiter_policy<without_category>);
static_assert(!limiter_policy<admits_only> && !limiter_policy<may_throw> && !limiter_policy<not_copyable>);
static_assert(limiter_policy<counts_too>);

// A limiter without data adds nothing to the size of a queue.
static_assert(std::is_empty_v<limiter::none> && std::is_empty_v<by_number>);

}  // namespace

}  // namespace concept_limiter
