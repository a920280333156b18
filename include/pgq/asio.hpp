#pragma once

/// Everything that uses Asio: the asynchronous driver and worker, the executor for coroutine handlers, and asynchronous
/// waiting for the end of jobs.

#include <pgq/async_wait.hpp>
#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/pgq.hpp>
