#pragma once

/// A queue that enqueues and looks after jobs, for programs that run no worker. It is the same class as with
/// <pgq/pgq.hpp>, so both programs name one queue type. `get`, `items`, `poll`, `take` and `transaction` need
/// <pgq/pgq.hpp>.
///
/// Include the driver and the serializer beside it, and the header of each executor, observer or driver pool that the
/// queue's arguments name.

#include <pgq/backoff/exponential.hpp>
#include <pgq/backoff/fixed.hpp>
#include <pgq/backoff/jittered.hpp>
#include <pgq/backoff/linear.hpp>
#include <pgq/backoff/none.hpp>
#include <pgq/backoff/stored.hpp>
#include <pgq/client/queue.hpp>
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
