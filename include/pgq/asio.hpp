#pragma once

/// What works by Asio: the driver, the worker (with coroutines), the executor for handlers that are coroutines, and waiting for the
/// ends of jobs.

#include <pgq/async_wait.hpp>
#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/pgq.hpp>
