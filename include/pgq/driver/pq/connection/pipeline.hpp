#pragma once

#include <pgq/driver/pq/connection/batch.hpp>
#include <pgq/driver/pq/connection/options.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pgq::driver::pq {

/// What the connection waits for before it can go on.
enum class need : std::uint8_t { nothing, read, write, read_and_write };

/// Sends a batch down a connection in pipeline mode and collects the answers. It never blocks: `advance()` says what to
/// wait for and is called again then, by a loop around poll() or by Asio. It remembers which statements are prepared,
/// for as long as the connection lives.
class pipeline {
public:
    pipeline() = default;
    using hook = std::function<void(const sent_statement&)>;

    pipeline(std::string schema, bool prepare, hook on_statement = {})
        : schema_{std::move(schema)}, prepare_{prepare}, on_statement_{std::move(on_statement)} {}

    result<void> begin(PGconn* c, batch& steps) {
        steps_ = &steps;
        at_ = 0;
        stage_ = steps.size() == 0 ? stage::over : stage::reply;
        flushing_ = true;
        for (std::size_t i = 0; i < steps.size(); ++i)
            if (!send(c, steps[i])) return connection_error(c, steps[i].query->name);
        if (steps.size() != 0) enter(steps[0]);
        return {};
    }

    result<need> advance(PGconn* c) {
        if (flushing_) {
            const int left = PQflush(c);
            if (left < 0) return connection_error(c, name());
            flushing_ = left == 1;
        }
        while (stage_ != stage::over) {
            if (PQisBusy(c) && PQconsumeInput(c) == 0) return connection_error(c, name());
            if (PQisBusy(c)) return flushing_ ? need::read_and_write : need::read;
            if (auto taken = take(c); !taken) return taken.error();
        }
        return need::nothing;
    }

private:
    enum class stage : std::uint8_t { prepare, prepare_end, reply, reply_end, sync, over };

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

    // Twice in one batch: the first prepares for both.
    bool sent_before(const step& s) const noexcept {
        for (std::size_t i = 0; i < steps_->size() && &(*steps_)[i] != &s; ++i)
            if ((*steps_)[i].prepares && (*steps_)[i].query == s.query) return true;
        return false;
    }

    void enter(const step& s) noexcept { stage_ = s.prepares ? stage::prepare : stage::reply; }

    result<void> take(PGconn* c) {
        result_ptr r{PQgetResult(c)};
        step& s = (*steps_)[at_];
        switch (stage_) {
        case stage::prepare:
            if (!r) return connection_error(c, s.query->name);
            if (PQresultStatus(r.get()) == PGRES_COMMAND_OK) prepared_.push_back(s.query);
            else note_error(s, r.get());
            stage_ = stage::prepare_end;
            break;
        case stage::prepare_end: stage_ = stage::reply; break;
        case stage::reply:
            if (!r) return connection_error(c, s.query->name);
            note_error(s, r.get());
            s.reply = std::move(r);
            stage_ = stage::reply_end;
            break;
        case stage::reply_end:
            if (r) break;  // nothing of ours has two results; what comes is dropped
            if (s.ends_transaction) stage_ = stage::sync;
            else next();
            break;
        case stage::sync:
            if (!r) return connection_error(c, s.query->name);
            if (PQresultStatus(r.get()) == PGRES_PIPELINE_SYNC) next();
            break;
        case stage::over: break;
        }
        if (PQstatus(c) != CONNECTION_OK) return connection_error(c, name());
        return {};
    }

    void next() noexcept {
        if (++at_ == steps_->size()) stage_ = stage::over;
        else enter((*steps_)[at_]);
    }

    static void note_error(step& s, const PGresult* r) {
        if (PQresultStatus(r) == PGRES_FATAL_ERROR && !s.error) s.error = server_error(r, s.query->name);
    }

    const char* name() const noexcept { return at_ < steps_->size() ? (*steps_)[at_].query->name : ""; }

    batch* steps_ = nullptr;
    std::size_t at_ = 0;
    stage stage_ = stage::over;
    bool flushing_ = false;
    std::string schema_;
    bool prepare_ = true;
    hook on_statement_;
    std::vector<const statement::query*> prepared_;
};

}  // namespace pgq::driver::pq
