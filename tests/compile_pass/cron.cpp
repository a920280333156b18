#include <pgq/cron.hpp>

#include <chrono>

// The expressions of docs/reference/cron.md, checked and searched by the compiler.

using pgq::cron::every;
using namespace std::chrono_literals;

constexpr pgq::time_point start{std::chrono::sys_days{std::chrono::year{2026} / 3 / 28} + 12h};

static_assert(every<"*/5 * * * *">.next(start) == start + 5min);
static_assert(every<"0 0 L * *">.next(start) == start + 60h);
static_assert(every<"@every 90s">.next(start) == start + 90s);
static_assert(every<"30 2 * * *">.next(start, pgq::cron::fixed_offset{2h}) == start + 12h + 30min);
