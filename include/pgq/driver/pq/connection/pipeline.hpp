#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/expected_answers.hpp>
#include <pgq/driver/pq/connection/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
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

    /// Sends the statements of the batch, as far as that does not block. `steps` must live until `advance()` returns
    /// `need::nothing` or an error.
    result<void> begin(PGconn* c, batch& steps) {
        steps_ = &steps;
        flushing_ = true;
        expected_.begin_batch();
        for (std::size_t i = 0; i < steps.size(); ++i) {
            step& s = steps[i];
            if (!send(c, s)) return connection_error(c, s.query->name);
            expected_.sent({s.query, s.prepares, s.ends_transaction, i < steps.awaited(), i});
        }
        return {};
    }

    /// Sends what is left and reads the answers that have come, until those are there that somebody waits for. An error
    /// is an error of the connection; the error of a statement is in its step.
    result<need> advance(PGconn* c) {
        return advance_until(c, [this] { return expected_.is_answered(); });
    }
    /// The same for all answers.
    result<need> settle(PGconn* c) {
        return advance_until(c, [this] { return expected_.is_idle(); });
    }
    /// Whether the answers that are still to come are such that nobody waits for.
    bool owes_unawaited() const noexcept { return expected_.is_answered() && !expected_.is_idle(); }
    /// Reads these, as far as they have come: libpq reports the notifications behind them only then.
    void read_unawaited(PGconn* c) noexcept {
        try {
            while (owes_unawaited() && PQisBusy(c) == 0)
                if (!read_result(c)) return;
        } catch (...) {  // no memory: the next command reads on
        }
    }

private:
    template <class Done>
    result<need> advance_until(PGconn* c, Done done) {
        const auto broken = [&]() -> result<need> {
            if (done()) return need::nothing;  // what is wanted has come
            return connection_error(c, name());
        };
        if (flushing_) {
            const int left = PQflush(c);
            if (left < 0) return broken();
            flushing_ = left == 1;
        }
        while (!done() || (flushing_ && !expected_.is_idle())) {
            if (PQisBusy(c) && PQconsumeInput(c) == 0) return broken();
            if (PQisBusy(c)) return flushing_ ? need::read_and_write : need::read;
            if (!read_result(c)) return broken();
        }
        return need::nothing;
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
        const bool named = prepare_ && s.query->prepare;
        s.prepares = named && !known;
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

    result<void> read_result(PGconn* c) {
        using part = expected_answers::part;
        using kind = expected_answers::result_kind;
        result_ptr r{PQgetResult(c)};
        const auto status = PQresultStatus(r.get());  // of a null: an error
        const auto now = expected_.current();
        step* const s = now.awaited ? &(*steps_)[now.step] : nullptr;
        const auto what = !r ? kind::null : status == PGRES_PIPELINE_SYNC ? kind::pipeline_sync : kind::value;
        const part which = expected_.next();
        if (!expected_.came(what)) return connection_error(c, now.query->name);
        if (which == part::prepare && status == PGRES_COMMAND_OK) prepared_.push_back(now.query);
        else if (s != nullptr && (which == part::prepare || which == part::reply)) note_error(*s, r.get());
        // An error behind a statement is that of the commit.
        if (s != nullptr && which == part::pipeline_sync && r) note_commit_error(now.step, r.get());
        if (s != nullptr && which == part::reply) s->reply = std::move(r);
        if (PQstatus(c) != CONNECTION_OK) return connection_error(c, name());
        return {};
    }

    static void note_error(step& s, const PGresult* r) {
        if (PQresultStatus(r) == PGRES_FATAL_ERROR && !s.error) s.error = server_error(r, s.query->name);
    }

    // The transaction was rolled back, so none of its statements has done anything.
    void note_commit_error(std::size_t last, const PGresult* r) {
        for (std::size_t i = last + 1; i-- > 0;) {
            if (i != last && (*steps_)[i].ends_transaction) break;
            note_error((*steps_)[i], r);
        }
    }

    const char* name() const noexcept {
        const statement::query* const q = expected_.waited_for();
        return q == nullptr ? "" : q->name;
    }

    batch* steps_ = nullptr;
    expected_answers expected_{};
    bool flushing_ = false;
    std::string schema_;
    bool prepare_ = true;
    hook on_statement_;
    std::vector<const statement::query*> prepared_;
};

}  // namespace pgq::driver::pq
