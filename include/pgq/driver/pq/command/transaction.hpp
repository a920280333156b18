#pragma once

#include <pgq/driver/pq/command/rows.hpp>
#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/doubt.hpp>
#include <pgq/driver/pq/connection/session_info.hpp>
#include <pgq/error/result.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/statement/take.hpp>

#include <libpq-fe.h>

#include <string_view>

namespace pgq::driver::pq::command {

/// A statement of a transaction without parameters and without an answer: BEGIN, SAVEPOINT and the like.
class control {
public:
    static constexpr bool repeats = false;

    explicit control(const statement::query& q) : query_{&q} {}

    void compose(batch& out, const session_info&) const {
        out.add(*query_);
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }

private:
    const statement::query* query_;
};

/// The error of a commit that the server has turned into a rollback.
inline error_info commit_refused() {
    return {make_sqlstate("25P02"), "a statement of the transaction had failed, so it was rolled back",
            "put what may fail into a savepoint"};
}

/// Commits. False when a statement of the transaction had failed: the server has rolled it back then.
class commit {
public:
    static constexpr bool repeats = false;
    static constexpr doubt in_doubt{"the transaction may be committed or not",
                                    "look for what it has written before you repeat it"};

    static void compose(batch& out, const session_info&) {
        out.add(statement::commit);
        out.end_transaction();
    }
    static result<bool> read(const answers& in) {
        if (auto e = in.first_error()) return *e;
        return std::string_view{PQcmdStatus(in[0].reply.get())} != "ROLLBACK";
    }
};

/// Undoes what followed the latest savepoint, and forgets that.
class rollback_to_savepoint {
public:
    static constexpr bool repeats = false;

    static void compose(batch& out, const session_info&) {
        out.add(statement::rollback_to_savepoint);
        out.end_transaction();
        out.add(statement::release_savepoint);
        out.end_transaction();
    }
    static result<void> read(const answers& in) { return no_error(in); }
};

}  // namespace pgq::driver::pq::command
