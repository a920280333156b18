#pragma once

/// The whole queue: <pgq/client/queue.hpp> is its table of contents. A program that only enqueues and looks after jobs
/// includes <pgq/client.hpp>, which is less to compile.

#include <pgq/diagnostic/transactions.hpp>
// The message comes first: a compiler prints the way of the first include with each error.
#include <pgq/client/queue.hpp>
#include <pgq/pull/queue_pull.hpp>
#include <pgq/transaction/queue_transaction.hpp>
#include <pgq/transaction/transaction.hpp>
