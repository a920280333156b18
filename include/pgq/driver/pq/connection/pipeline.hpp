#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
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
        at_ = 0;
        last_words_.reset();
        stage_ = steps.size() == 0 ? stage::over : stage::reply;
        flushing_ = true;
        in_transaction_ = PQtransactionStatus(c) == PQTRANS_INTRANS || PQtransactionStatus(c) == PQTRANS_INERROR;
        for (std::size_t i = 0; i < steps.size(); ++i) {
            for (std::size_t b = 0; b < beginning_.size() && begins_transaction(i); ++b)
                if (!send(c, beginning_[b])) return connection_error(c, beginning_[b].query->name);
            if (!send(c, steps[i])) return connection_error(c, steps[i].query->name);
        }
        if (steps.size() != 0) expect_answer_to(0);
        return {};
    }

    /// Sends what is left and reads the answers that have come. An error is an error of the connection; the error of a
    /// statement is in its step.
    result<need> advance(PGconn* c, standby_wait& standby) {
        if (flushing_) {
            const int left = PQflush(c);
            if (left < 0) return lost(c);
            flushing_ = left == 1;
        }
        while (stage_ != stage::over) {
            if (PQisBusy(c) && PQconsumeInput(c) == 0) return lost(c);
            if (PQisBusy(c)) return flushing_ ? need::read_and_write : need::read;
            if (auto read = read_result(c, standby); !read) return read.error();
        }
        return need::nothing;
    }

private:
    // Which result of libpq comes next, for the statement `at_`. libpq ends the results of a statement with a null.
    enum class stage : std::uint8_t { beginning, prepare, prepare_end, reply, reply_end, pipeline_sync, over };

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
        const bool known = std::find(prepared_.begin(), prepared_.end(), s.query) != prepared_.end();
        const bool named = prepare_ && s.query->prepare;
        s.prepares = named && !known && !sent_before(s);
        bool ok = true;
        if (!named) {
            const auto text = statement::render(s.query->text, schema_);
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

    void call_hook(const step& s) const {
        const auto& p = s.params;
        std::string_view seen[statement::params::max_count];
        for (std::size_t i = 0; i < p.size(); ++i)
            if (p.value(i) != nullptr) seen[i] = {p.value(i), static_cast<std::size_t>(p.length(i))};
        const auto text = statement::render(s.query->text, schema_);
        on_statement_({.name = s.query->name, .text = text, .parameters = {seen, p.size()}, .types = p.types()});
    }

    // Whether an earlier step of this batch prepares the same statement.
    bool sent_before(const step& s) const noexcept {
        for (std::size_t i = 0; i < steps_->size() && &(*steps_)[i] != &s; ++i)
            if ((*steps_)[i].prepares && (*steps_)[i].query == s.query) return true;
        return false;
    }

    bool begins_transaction(std::size_t i) const noexcept {
        return !in_transaction_ && (i == 0 || (*steps_)[i - 1].ends_transaction);
    }
    void expect_answer_to(std::size_t i) noexcept {
        begun_ = 0;
        if (begins_transaction(i) && !beginning_.empty()) stage_ = stage::beginning;
        else expect_answer_to((*steps_)[i]);
    }
    void expect_answer_to(const step& s) noexcept { stage_ = s.prepares ? stage::prepare : stage::reply; }

    result<void> read_result(PGconn* c, standby_wait& standby) {
        result_ptr r{PQgetResult(c)};
        step& s = (*steps_)[at_];
        switch (stage_) {
        case stage::beginning:
            if (r) note_error(s, r.get(), beginning_[begun_].query->name);
            if (!r && ++begun_ == beginning_.size()) expect_answer_to(s);
            break;
        case stage::prepare:
            if (!r) return lost(c);
            if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) prepared_.push_back(s.query);
            else note_error(s, r.get());
            stage_ = stage::prepare_end;
            break;
        case stage::prepare_end: stage_ = stage::reply; break;
        case stage::reply:
            if (!r) return lost(c);
            note_error(s, r.get());
            s.reply = std::move(r);
            stage_ = stage::reply_end;
            break;
        case stage::reply_end:
            if (r) break;  // none of our statements has two results: a second one is ignored
            if (s.ends_transaction) stage_ = stage::pipeline_sync;
            else next();
            break;
        case stage::pipeline_sync:
            // An error here is that of the commit. libpq ends it with a null.
            if (r && PQresultStatus(r.get()) == PGRES_FATAL_ERROR) note_commit_error(r.get());
            else if (r && PQresultStatus(r.get()) == PGRES_PIPELINE_SYNC) {
                if (standby.take_given_up()) note_unconfirmed();
                next();
            } else if (!r && !s.error) return lost(c);
            break;
        case stage::over: break;
        }
        if (PQstatus(c) != CONNECTION_OK) return lost(c);
        return {};
    }

    void next() noexcept {
        if (++at_ == steps_->size()) stage_ = stage::over;
        else expect_answer_to(at_);
    }

    void note_error(step& s, const PGresult* r, const char* statement = nullptr) {
        if (PQresultStatus(r) != PGRES_FATAL_ERROR || s.error) return;
        s.error = server_error(r, statement == nullptr ? s.query->name : statement);
        // PgBouncer sends the localized one only, in English.
        if (field(r, PG_DIAG_SEVERITY_NONLOCALIZED) == "FATAL" || field(r, PG_DIAG_SEVERITY) == "FATAL")
            last_words_ = *s.error;
    }

    // The server, or a pooler, may have said why it hangs up. libpq has given that to the answer of a statement.
    error_info lost(const PGconn* c) const {
        error_info e = connection_error(c, name());
        if (last_words_) e.message = last_words_->message;
        if (last_words_ && !last_words_->hint.empty()) e.hint = last_words_->hint;
        return e;
    }

    // The transaction was rolled back, so none of its statements has done anything.
    void note_commit_error(const PGresult* r) {
        for (std::size_t i = at_ + 1; i-- > 0;) {
            if (i != at_ && (*steps_)[i].ends_transaction) break;
            note_error((*steps_)[i], r);
        }
    }

    // The transaction is there, but nobody may rely on it.
    void note_unconfirmed() {
        for (std::size_t i = at_ + 1; i-- > 0;) {
            step& s = (*steps_)[i];
            if (i != at_ && s.ends_transaction) break;
            if (!s.error) s.error = standby_wait::error(s.query->name);
        }
    }

    const char* name() const noexcept { return at_ < steps_->size() ? (*steps_)[at_].query->name : ""; }

    batch* steps_ = nullptr;
    batch beginning_{};
    std::size_t begun_ = 0;        // the statement of it whose answer comes next
    bool in_transaction_ = false;  // somebody has begun a transaction before the batch
    std::size_t at_ = 0;           // the step whose answer comes next
    stage stage_ = stage::over;
    bool flushing_ = false;
    std::string schema_;
    std::optional<error_info> last_words_{};
    bool prepare_ = true;
    hook on_statement_;
    std::vector<const statement::query*> prepared_;
};

}  // namespace pgq::driver::pq
