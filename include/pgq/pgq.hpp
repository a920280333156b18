#pragma once

/// The core: queues, workers, and all policies that need no other library. A program also includes a driver, which says
/// where jobs are stored (<pgq/driver/libpq.hpp>, or <pgq/driver/memory.hpp> in tests), and a serializer
/// (<pgq/serializer/json.hpp>).

#include <pgq/diagnostic/arguments.hpp>
#include <pgq/diagnostic/calls.hpp>
#include <pgq/diagnostic/delivery.hpp>
#include <pgq/diagnostic/executors.hpp>
#include <pgq/diagnostic/handlers.hpp>
#include <pgq/diagnostic/jobs.hpp>
#include <pgq/diagnostic/payload.hpp>
#include <pgq/diagnostic/settings.hpp>
#include <pgq/diagnostic/transactions.hpp>
#include <pgq/diagnostic/uniqueness.hpp>
#include <pgq/job/options.hpp>
#include <pgq/time/static_duration.hpp>
// The messages come first: GCC prints a line for each header between the program and the message.
#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/context/context.hpp>
#include <pgq/context/resources.hpp>
#include <pgq/delivery/at_least_once.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/driver/pool.hpp>
#include <pgq/executor/in_place.hpp>
#include <pgq/executor/process.hpp>
#include <pgq/executor/retrying.hpp>
#include <pgq/executor/strand_by.hpp>
#include <pgq/executor/thread_pool.hpp>
#include <pgq/executor/timeout.hpp>
#include <pgq/introspection.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/limiter/rate.hpp>
#include <pgq/observer/all_of.hpp>
#include <pgq/observer/counters.hpp>
#include <pgq/observer/log.hpp>
#include <pgq/observer/none.hpp>
#include <pgq/queue.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/unique_by.hpp>
#include <pgq/version.hpp>
#include <pgq/worker.hpp>
