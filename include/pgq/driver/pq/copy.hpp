#pragma once

#include <pgq/driver/pq/link.hpp>
#include <pgq/driver/pq/script.hpp>
#include <pgq/job/id.hpp>
#include <pgq/job/rank.hpp>
#include <pgq/statement/enqueue.hpp>
#include <pgq/statement/wake.hpp>
#include <pgq/statement/wire.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgq::driver::pq {

/// Jobs into one lane by COPY: the fastest way for ten thousand and more, without ids. All or nothing: they become visible
/// when `finish()` returns; destroyed before, none is kept. The session is busy until then.
class copy_stream {
public:
    copy_stream(link& line, lane_id lane) : line_{&line}, lane_{lane} {}
    copy_stream(const copy_stream&) = delete;
    copy_stream& operator=(const copy_stream&) = delete;
    ~copy_stream() {
        if (open_) (void)end("the stream was not finished");
    }

    result<void> put(std::string_view body, std::int16_t priority = 0, std::optional<std::string_view> key = {}) {
        namespace wire = statement::wire;
        if (body.size() > line_->options().max_payload)
            return error_info{errc::payload_too_large, "a payload has " + std::to_string(body.size()) + " bytes",
                              "store it elsewhere and enqueue its address, or raise max_payload"};
        if (!open_)
            if (auto begun = begin(); !begun) return begun;
        wire::append(buffer_, std::int16_t{4});
        wire::append(buffer_, std::int32_t{4});
        wire::append(buffer_, lane_.value);
        wire::append(buffer_, std::int32_t{8});
        wire::append(buffer_, rank::of(priority).value);
        wire::append(buffer_, key ? static_cast<std::int32_t>(key->size()) : std::int32_t{-1});
        if (key) buffer_ += *key;
        wire::append(buffer_, static_cast<std::int32_t>(body.size()));
        buffer_ += body;
        ++count_;
        return buffer_.size() < flush_at ? result<void>{} : flush();
    }

    /// How many jobs went in.
    result<std::int64_t> finish() {
        if (!open_) return std::int64_t{0};
        statement::wire::append(buffer_, std::int16_t{-1});
        if (auto sent = flush(); !sent) return sent.error();
        if (auto ended = end(nullptr); !ended) return ended.error();
        return count_;
    }

private:
    static constexpr std::size_t flush_at = std::size_t{64} << 10;

    result<void> begin() {
        PGconn* c = line_->get();
        if (PQexitPipelineMode(c) != 1 || PQsetnonblocking(c, 0) != 0) return connection_error(c, "enqueue_copy");
        const auto text = statement::render(statement::enqueue_copy.text, line_->options().schema);
        const result_ptr r{PQexec(c, text.c_str())};
        if (PQresultStatus(r.get()) != PGRES_COPY_IN) {
            (void)resume();
            return PQstatus(c) == CONNECTION_OK ? server_error(r.get(), "enqueue_copy")
                                                : connection_error(c, "enqueue_copy");
        }
        open_ = true;
        buffer_.assign("PGCOPY\n\377\r\n\0", 11);
        buffer_.append(8, '\0');
        return {};
    }

    result<void> flush() {
        const int sent = PQputCopyData(line_->get(), buffer_.data(), static_cast<int>(buffer_.size()));
        buffer_.clear();
        if (sent != 1) return connection_error(line_->get(), "enqueue_copy");
        return {};
    }

    result<void> end(const char* why_not) {
        PGconn* c = line_->get();
        open_ = false;
        if (PQputCopyEnd(c, why_not) != 1) return connection_error(c, "enqueue_copy");
        result<void> outcome;
        while (result_ptr r{PQgetResult(c)})
            if (PQresultStatus(r.get()) == PGRES_FATAL_ERROR) outcome = server_error(r.get(), "enqueue_copy");
        if (PQstatus(c) != CONNECTION_OK) return connection_error(c, "enqueue_copy");
        if (why_not == nullptr && outcome) wake_somebody();
        if (auto back = resume(); !back) return back;
        return outcome;
    }

    // A failure of it fails nothing: sleepers look for themselves now and then.
    void wake_somebody() {
        step wake;
        wake.query = &statement::wake;
        wake.params.number(line_->space()).int4s(1, [this](std::size_t) { return lane_.value; });
        execute(line_->get(), wake, line_->options().schema);
    }

    result<void> resume() {
        if (PQsetnonblocking(line_->get(), 1) != 0 || PQenterPipelineMode(line_->get()) != 1)
            return connection_error(line_->get(), "enqueue_copy");
        return {};
    }

    link* line_;
    lane_id lane_;
    std::string buffer_;
    std::int64_t count_ = 0;
    bool open_ = false;
};

}  // namespace pgq::driver::pq
