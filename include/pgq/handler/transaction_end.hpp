#pragma once

#include <pgq/concept/decorator.hpp>
#include <pgq/concept/observer.hpp>
#include <pgq/event/events.hpp>
#include <pgq/handler/exception_text.hpp>
#include <pgq/job/outcome.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/worker/held_lease.hpp>

#include <cstdint>
#include <exception>

namespace pgq::detail {

/// Ends the transaction of a handler, if one is open: commits it together with the acknowledgement of the job if the
/// job is done, else rolls it back. `r` is what the decorators have made of the result; if the commit fails, the
/// attempt has failed.
///
/// True if the commit has settled the job, or another worker has it: then nothing about it is stored any more.
template <class Transaction, class Observer>
bool end_transaction(Transaction& transaction, held_lease& slot, std::uint32_t position, Observer& observer,
                     try_result& r) noexcept {
    if (!transaction.is_open()) return false;
    if (r.what.what() != outcome::kind::done) return transaction.roll_back(), false;
    try {
        slot.closing.store(true);
        const auto ended = transaction.commit(slot.worker, slot.claimed, r.what.result(), {slot.stop_token(position)});
        if (!ended) {
            slot.closing.store(false);
            r = {.what = retry_after{{}, "the transaction was not committed: " + ended.error().text()},
                 .has_delay = false};
            return false;
        }
        if (*ended == lease_end::lost) notify(observer, event::lease_lost{slot.claimed.id, 1});
        if (*ended != lease_end::ended) r.what = retry_after{{}, "the transaction was not committed"};
        return true;
    } catch (...) {
        slot.closing.store(false);
        r = failed_with(std::current_exception());
        return false;
    }
}

}  // namespace pgq::detail
