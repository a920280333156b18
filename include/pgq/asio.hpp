#pragma once

/// What works by Asio: the driver, the worker (with coroutines), and the executor for handlers that are coroutines.

#include <pgq/async_worker.hpp>
#include <pgq/driver/asio_libpq.hpp>
#include <pgq/executor/coroutine.hpp>
#include <pgq/pgq.hpp>
