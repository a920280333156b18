#pragma once

/// The whole queue: <pgq/client/queue.hpp> is its table of contents. A program that only enqueues and looks after jobs
/// includes <pgq/client.hpp>, which is less to compile.

#include <pgq/client/queue.hpp>
#include <pgq/pull/queue_pull.hpp>
#include <pgq/transaction/queue_transaction.hpp>
#include <pgq/transaction/transaction.hpp>
