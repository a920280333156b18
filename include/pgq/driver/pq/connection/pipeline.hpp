#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/expected_answers.hpp>
#include <pgq/driver/pq/connection/libpq_handles.hpp>
#include <pgq/driver/pq/connection/options.hpp>
#include <pgq/driver/pq/connection/standby_wait.hpp>
#include <pgq/error/error_info.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// What the socket must be ready for before the next `advance()`. `nothing`: all answers are there.
enum class need : std::uint8_t { nothing, read, write, read_and_write };

/// Sends a batch over a connection in pipeline mode and collects the answers. It never blocks: `advance()` returns what
/// the caller must wait for before it calls `advance()` again. The caller waits with poll() or Asio. The object belongs
/// to one connection and remembers which statements are prepared there.
class pipeline {
public:
    pipeline() = default;
    using hook = std::function<void(const sent_statement&)>;

    /// `prepare`: whether statements are prepared on the server. `on_statement` is called for each statement before it
    /// is sent.
    pipeline(std::string schema, bool prepare, hook on_statement = {})
        : schema_{std::move(schema)}, prepare_{prepare}, on_statement_{std::move(on_statement)} {}

    /// From now on these statements come first in each transaction that a batch begins. Only their errors are read:
    /// such an error is that of the first statement of the transaction.
    void begin_transactions_with(batch statements) { beginning_ = std::move(statements); }

    /// Sends the statements of the batch, as far as that does not block. `steps` must live until `advance()` returns
    /// `need::nothing` or an error.
    result<void> begin(PGconn* c, batch& steps) {
        steps_ = &steps;
        fatal_error_.reset();
        flushing_ = true;
        in_transaction_ = PQtransactionStatus(c) == PQTRANS_INTRANS || PQtransactionStatus(c) == PQTRANS_INERROR;
        expected_.begin_batch();
        for (std::size_t i = 0; i < steps.size(); ++i) {
            for (std::size_t b = 0; b < beginning_.size() && begins_transaction(i); ++b)
                if (!send(c, beginning_[b], i, true)) return connection_error(c, beginning_[b].query->name);
            if (!send(c, steps[i], i, false)) return connection_error(c, steps[i].query->name);
        }
        return {};
    }

    /// Sends what is left and reads the answers that have come, until those are there that somebody waits for. An error
    /// is an error of the connection; the error of a statement is in its step.
    result<need> advance(PGconn* c, standby_wait& standby) {
        return advance_until(c, standby, [this] { return expected_.is_answered(); });
    }
    /// The same for all answers.
    result<need> settle(PGconn* c, standby_wait& standby) {
        return advance_until(c, standby, [this] { return expected_.is_idle(); });
    }
    /// Whether the answers that are still to come are such that nobody waits for.
    bool owes_unawaited() const noexcept { return expected_.is_answered() && !expected_.is_idle(); }
    /// Reads these, as far as they have come: libpq reports the notifications behind them only then.
    void read_unawaited(PGconn* c, standby_wait& standby) noexcept {
        try {
            while (owes_unawaited() && PQisBusy(c) == 0)
                if (!read_result(c, standby)) return;
        } catch (...) {  // no memory: the next command reads on
        }
    }

private:
    template <class Done>
    result<need> advance_until(PGconn* c, standby_wait& standby, Done done) {
        const auto broken = [&]() -> result<need> {
            if (done()) return need::nothing;  // what is wanted has come
            return lost(c);
        };
        if (flushing_) {
            const int left = PQflush(c);
            if (left < 0) return broken();
            flushing_ = left == 1;
        }
        while (!done() || (flushing_ && !expected_.is_idle())) {
            if (PQisBusy(c) && PQconsumeInput(c) == 0) return broken();
            if (PQisBusy(c)) return flushing_ ? need::read_and_write : need::read;
            if (!read_result(c, standby)) return broken();
        }
        return need::nothing;
    }

    // `of`: the number of the step, or of the first step of the transaction that `s` begins.
    bool send(PGconn* c, step& s, std::size_t of, bool begins) {
        if (!send(c, s)) return false;
        expected_.sent({.query = s.query,
                        .prepares = s.prepares,
                        .ends_transaction = s.ends_transaction,
                        .awaited = of < steps_->awaited(),
                        .begins = begins,
                        .step = of});
        return true;
    }
    bool send(PGconn* c, step& s) {
        const auto& p = s.params;
        const char* values[statement::params::max_count];
        int lengths[statement::params::max_count];
        int formats[statement::params::max_count];
        for (std::size_t i = 0; i < p.size(); ++i) {
            values[i] = p.value(i);
            lengths[i] = p.length(i);
            formats[i] = 1;
        }
        if (on_statement_) call_hook(s);
        const int n = static_cast<int>(p.size());
        const bool known =
            std::find(prepared_.begin(), prepared_.end(), s.query) != prepared_.end() || expected_.prepares(*s.query);
        const bool named = is_prepared(s);
        s.prepares = named && !known;
        bool ok = true;
        if (!named) {
            const auto text = statement::unprepared_text(*s.query, schema_);
            ok = PQsendQueryParams(c, text.c_str(), n, p.types(), values, lengths, formats, 1) == 1;
        } else {
            if (s.prepares) {
                const auto text = statement::render(s.query->text, schema_);
                ok = PQsendPrepare(c, s.query->name, text.c_str(), n, p.types()) == 1;
            }
            ok = ok && PQsendQueryPrepared(c, s.query->name, n, values, lengths, formats, 1) == 1;
        }
        if (ok && s.ends_transaction) ok = PQpipelineSync(c) == 1;
        return ok;
    }

    bool is_prepared(const step& s) const noexcept { return prepare_ && s.query->prepare; }

    void call_hook(const step& s) const {
        const auto& p = s.params;
        std::string_view seen[statement::params::max_count];
        for (std::size_t i = 0; i < p.size(); ++i)
            if (p.value(i) != nullptr) seen[i] = {p.value(i), static_cast<std::size_t>(p.length(i))};
        const auto text =
            is_prepared(s) ? statement::render(s.query->text, schema_) : statement::unprepared_text(*s.query, schema_);
        on_statement_({.name = s.query->name, .text = text, .parameters = {seen, p.size()}, .types = p.types()});
    }

    bool begins_transaction(std::size_t i) const noexcept {
        return !in_transaction_ && (i == 0 || (*steps_)[i - 1].ends_transaction);
    }

    result<void> read_result(PGconn* c, standby_wait& standby) {
        using part = expected_answers::part;
        using kind = expected_answers::result_kind;
        result_ptr r{PQgetResult(c)};
        const auto status = PQresultStatus(r.get());  // of a null: an error
        const auto now = expected_.current();
        step* const s = now.awaited ? &(*steps_)[now.step] : nullptr;
        const auto what = !r ? kind::null : status == PGRES_PIPELINE_SYNC ? kind::pipeline_sync : kind::value;
        const part which = expected_.next();
        if (!expected_.came(what)) return lost(c);
        if (which == part::prepare && status == PGRES_COMMAND_OK) prepared_.push_back(now.query);
        else if (s != nullptr && (which == part::prepare || which == part::reply))
            note_error(*s, r.get(), now.query->name);
        if (which == part::pipeline_sync) {
            // An error behind a statement is that of the commit.
            if (s != nullptr && what == kind::value) note_commit_error(now.step, r.get());
            if (what == kind::pipeline_sync && standby.take_given_up() && s != nullptr) note_unconfirmed(now.step);
        }
        if (s != nullptr && which == part::reply && !now.begins) s->reply = std::move(r);
        if (PQstatus(c) != CONNECTION_OK) return lost(c);
        return {};
    }

    void note_error(step& s, const PGresult* r, const char* statement) {
        if (PQresultStatus(r) != PGRES_FATAL_ERROR || s.error) return;
        s.error = server_error(r, statement);
        // PgBouncer sends the localized one only, in English.
        if (field(r, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL" || field(r, PG_DIAG_SEVERITY) == "FATAL")
            fatal_error_ = *s.error;
    }

    // The server, or a pooler, may have said why it hangs up. libpq has given that to the answer of a statement.
    error_info lost(const PGconn* c) const {
        error_info e = connection_error(c, name());
        if (fatal_error_) e.message = fatal_error_->message;
        if (fatal_error_ && !fatal_error_->hint.empty()) e.hint = fatal_error_->hint;
        return e;
    }

    // The transaction was rolled back, so none of its statements has done anything.
    void note_commit_error(std::size_t last, const PGresult* r) {
        for_each_of_transaction(last, [&](step& s) { note_error(s, r, s.query->name); });
    }
    // The transaction is there, but nobody may rely on it.
    void note_unconfirmed(std::size_t last) {
        for_each_of_transaction(last, [](step& s) {
            if (!s.error) s.error = standby_wait::error(s.query->name);
        });
    }
    template <class F>
    void for_each_of_transaction(std::size_t last, F f) {
        for (std::size_t i = last + 1; i-- > 0;) {
            if (i != last && (*steps_)[i].ends_transaction) break;
            f((*steps_)[i]);
        }
    }

    const char* name() const noexcept {
        const statement::query* const q = expected_.waited_for();
        return q == nullptr ? "" : q->name;
    }

    batch* steps_ = nullptr;
    batch beginning_{};
    bool in_transaction_ = false;  // somebody has begun a transaction before the batch
    expected_answers expected_{};
    bool flushing_ = false;
    std::string schema_;
    std::optional<error_info> fatal_error_{};
    bool prepare_ = true;
    hook on_statement_;
    std::vector<const statement::query*> prepared_;
};

}  // namespace pgq::driver::pq
