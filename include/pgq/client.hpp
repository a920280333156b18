#pragma once

/// The class pgq::queue for programs that run no worker: they enqueue, wait for, find, cancel and requeue jobs. It is
/// the same class as in <pgq/pgq.hpp>, so such a program and the worker's program use one queue type. A call of `get`,
/// `items`, `poll`, `take` or `transaction` needs <pgq/pgq.hpp>.
///
/// Also include the header of the driver and of the serializer, and the header of each executor, observer and driver
/// pool that the queue type names.

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
#include <pgq/client/queue.hpp>
#include <pgq/compose/settings.hpp>
#include <pgq/delivery/at_least_once.hpp>
#include <pgq/delivery/at_most_once.hpp>
#include <pgq/job/members.hpp>
#include <pgq/job/sensitive.hpp>
#include <pgq/limiter/all_of.hpp>
#include <pgq/limiter/concurrency.hpp>
#include <pgq/limiter/concurrency_by.hpp>
#include <pgq/limiter/global_concurrency.hpp>
#include <pgq/limiter/global_rate.hpp>
#include <pgq/limiter/none.hpp>
#include <pgq/limiter/rate.hpp>
#include <pgq/serializer/raw.hpp>
#include <pgq/serializer/versioned.hpp>
#include <pgq/unique_by.hpp>
#include <pgq/version.hpp>
