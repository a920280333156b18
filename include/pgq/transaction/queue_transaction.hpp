#pragma once

#include <pgq/client/open_transaction.hpp>
#include <pgq/client/queue.hpp>
#include <pgq/client/queue_core.hpp>
#include <pgq/error/result.hpp>
#include <pgq/transaction/as_result.hpp>
#include <pgq/transaction/session_pool.hpp>
#include <pgq/transaction/transaction.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace pgq::detail {

/// What queue::transaction does.
template <class Composition>
struct transaction_calls {
    using core_type = queue_core<Composition>;
    using pool_type = session_pool<Composition>;
    using transaction_type = basic_transaction<Composition>;

    template <class Returned, class F>
    static as_result<Returned> run(core_type& core, F& f) {
        pool_type& pool =
            core.parts.template get<pool_type>([&] { return std::make_shared<pool_type>(core, most_idle); });
        auto session = pool.begin();
        if (!session) return std::move(session.error());
        auto& own = **session;
        transaction_type tx{core, own, pool.lanes(), session->limit()};
        const auto end = [&](result<void> ended) {
            if (ended) pool.give_back(std::move(*session));
            return ended;
        };
        const auto call = [&]() -> Returned {
            const open_transaction inside{core.transactions};
            return f(tx);
        };
        return all_or_nothing(
            call,
            [&] {
                auto committed = end(own.commit());
                if (committed) tx.report_committed();
                return committed;
            },
            [&]() -> result<void> {
                (void)end(own.rollback());
                return {};
            });
    }

private:
    static constexpr std::size_t most_idle = 8;
};

}  // namespace pgq::detail
