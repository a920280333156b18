#pragma once

#include <pgq/driver/pq/command/enqueue.hpp>
#include <pgq/driver/pq/command/execution.hpp>
#include <pgq/driver/pq/command/wake.hpp>
#include <pgq/driver/pq/connection/connection.hpp>
#include <pgq/driver/pq/connection/doubt.hpp>
#include <pgq/driver/pq/session/call_time.hpp>
#include <pgq/driver/pq/session/copy_stream.hpp>
#include <pgq/driver/pq/session/own_channel.hpp>
#include <pgq/protocol/rank.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/wire.hpp>

#include <utility>

namespace pgq::driver::pq {

PGQ_DECL copy_stream::copy_stream(own_channel& channel, lane_id lane, std::span<const job_id> ids)
    : channel_{&channel},
      line_{&channel.line},
      lane_{lane},
      ids_{ids},
      query_{ids.empty() ? &statement::enqueue_copy : &statement::enqueue_copy_as} {}

PGQ_DECL copy_stream::~copy_stream() {
    if (open_) (void)end("the stream was not finished");
}

PGQ_DECL result<void> copy_stream::put(std::string_view body, std::int16_t priority,
                                       std::optional<std::string_view> key) {
    namespace wire = statement::wire;
    if (auto fine = command::check_size(body, line_->options().max_payload); !fine) return fine;
    if (!open_)
        if (auto begun = begin(); !begun) return begun;
    wire::append(buffer_, static_cast<std::int16_t>(ids_.empty() ? 4 : 5));
    if (!ids_.empty()) number(ids_[static_cast<std::size_t>(count_)].value);
    number(lane_.value);
    number(rank::of(priority).value);
    wire::append(buffer_, key ? static_cast<std::int32_t>(key->size()) : std::int32_t{-1});
    if (key) buffer_ += *key;
    wire::append(buffer_, static_cast<std::int32_t>(body.size()));
    buffer_ += body;
    ++count_;
    return buffer_.size() < flush_at ? result<void>{} : flush();
}

PGQ_DECL result<std::int64_t> copy_stream::finish() {
    if (!open_) return std::int64_t{0};
    statement::wire::append(buffer_, std::int16_t{-1});
    if (auto sent = flush(); !sent) return sent.error();
    if (auto ended = end(nullptr); !ended) {
        jobs_in_doubt.add_to(ended.error());
        return std::move(ended.error());
    }
    wake_somebody();
    return count_;
}

template <class Number>
void copy_stream::number(Number n) {
    statement::wire::append(buffer_, static_cast<std::int32_t>(sizeof n));
    statement::wire::append(buffer_, n);
}

PGQ_DECL result<void> copy_stream::begin() {
    if (auto settled = channel_->settle(); !settled) return settled;
    (void)line_->take_cut_short();
    PGconn* c = line_->get();
    // One transaction: a lane that is draining refuses the stream before its first job.
    const std::string lane = std::to_string(lane_.value);
    const auto text =
        statement::render("SELECT {s}.open_lane(" + lane + "); " + std::string{query_->text}, line_->options().schema);
    if (const auto& hook = line_->options().on_statement) hook({.name = query_->name, .text = text});
    if (PQexitPipelineMode(c) != 1 || PQsendQuery(c, text.c_str()) != 1) return connection_error(c, query_->name);
    result_ptr r;
    if (auto answered = answer(r); !answered) return answered;
    if (PQresultStatus(r.get()) == PGRES_TUPLES_OK)
        if (auto answered = answer(r); !answered) return answered;
    if (PQresultStatus(r.get()) != PGRES_COPY_IN) return drain(std::move(r));
    open_ = true;
    buffer_.assign("PGCOPY\n\377\r\n\0", 11);
    buffer_.append(8, '\0');
    return {};
}

PGQ_DECL result<void> copy_stream::flush() {
    PGconn* c = line_->get();
    const int put = PQputCopyData(c, buffer_.data(), static_cast<int>(buffer_.size()));
    buffer_.clear();
    if (put == 1) return until_sent();
    if (PQstatus(c) != CONNECTION_OK) return open_ = false, connection_error(c, query_->name);
    auto why = end("the stream was not finished");  // the server has refused what it got so far
    return why ? result<void>{error_info{errc::protocol, "a COPY ended too early"}} : why;
}

PGQ_DECL result<void> copy_stream::end(const char* why_not) {
    PGconn* c = line_->get();
    open_ = false;
    (void)PQputCopyEnd(c, why_not);  // which is refused when the server has said already that it fails
    if (PQstatus(c) != CONNECTION_OK) return connection_error(c, query_->name);
    return drain({});
}

PGQ_DECL result<void> copy_stream::drain(result_ptr r) {
    result<void> outcome;
    do {
        if (r && PQresultStatus(r.get()) == PGRES_FATAL_ERROR) outcome = server_error(r.get(), query_->name);
        if (auto answered = answer(r); !answered) return answered;
    } while (r);
    if (line_->take_cut_short() && !outcome) explain_cancel(outcome.error());
    if (line_->take_unconfirmed() && outcome) outcome = standby_wait::error(query_->name);
    if (PQenterPipelineMode(line_->get()) != 1) return connection_error(line_->get(), query_->name);
    return outcome;
}

PGQ_DECL result<void> copy_stream::answer(result_ptr& r) {
    PGconn* c = line_->get();
    auto came = channel_->until_done([&]() -> result<need> {
        const int left = PQflush(c);
        if (left < 0 || (PQisBusy(c) && PQconsumeInput(c) == 0)) return connection_error(c, query_->name);
        if (!PQisBusy(c)) return need::nothing;
        return left == 1 ? need::read_and_write : need::read;
    });
    if (came) r.reset(PQgetResult(c));
    return came;
}

PGQ_DECL result<void> copy_stream::until_sent() {
    PGconn* c = line_->get();
    auto sent = channel_->until_done([&]() -> result<need> {
        const int left = PQflush(c);
        if (left == 0) return need::nothing;
        if (left < 0 || PQconsumeInput(c) == 0) return connection_error(c, query_->name);
        return need::read_and_write;
    });
    if (!sent) open_ = false;
    return sent;
}

PGQ_DECL void copy_stream::wake_somebody() {
    command::wake woken{{.lanes = {lane_}}};
    (void)run_command(*channel_, woken);
}

}  // namespace pgq::driver::pq
