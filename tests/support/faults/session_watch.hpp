#pragma once

#include <pgq/statement/problems.hpp>

#include <support/faults/only_slow.hpp>
#include <support/faults/wire.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace test::faults {

/// What a session of the library is for, as its statements show it.
enum class session_kind : std::uint8_t {
    other,      ///< not known, or a client: its calls return errors
    worker,     ///< of worker or async_worker
    heartbeat,  ///< of a worker or of a poller
    watcher,    ///< of handles that wait for the ends of jobs
    scheduler,
};

/// What one connection shows of others: who registered as a worker under which id, and which calls have broken.
class known_sessions {
public:
    struct facts {
        bool is_worker = false;  ///< not a poller or a waiting get
        std::chrono::microseconds lease_time{0};
    };

    /// `application`: the name of its sessions; the ids of two databases or schemas may be equal.
    void add(const std::string& application, std::int32_t id, facts f) {
        const std::lock_guard lock{mutex_};
        all_[{application, id}] = f;
    }
    facts find(const std::string& application, std::int32_t id) const {
        const std::lock_guard lock{mutex_};
        const auto found = all_.find({application, id});
        return found == all_.end() ? facts{} : found->second;
    }

    /// Whether this call with a request id is the first one that breaks. The library repeats such a call once.
    bool may_break(const std::string& application, const std::string& request) {
        const std::lock_guard lock{mutex_};
        return broken_.emplace(application, request).second;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::int32_t>, facts> all_;
    std::set<std::pair<std::string, std::string>> broken_;
};

/// Reads both directions of a connection, and finds out what kind of session it is and which of its transactions are
/// answered. It changes nothing.
class session_watch {
public:
    explicit session_watch(known_sessions& known) : known_{&known} {}

    /// The client sent these bytes.
    void sent(std::string_view bytes) {
        request_.clear();
        if (opaque_) return;
        up_.read(bytes, [this](char type, std::string_view content, std::size_t) { client_said(type, content); });
    }
    /// The server answered these bytes. Returns behind how many of them the commit of an enqueue was answered while
    /// nothing but its wake is not answered; empty if that did not happen. The wake of a stream is sent later.
    std::optional<std::size_t> answered(std::string_view bytes) {
        std::optional<std::size_t> committed;
        if (opaque_) return committed;
        down_.read(bytes, [&](char type, std::string_view content, std::size_t ends) {
            if (server_said(type, content)) committed = ends;
        });
        return committed;
    }

    session_kind kind() const noexcept { return kind_; }
    const std::string& application() const noexcept { return application_; }
    /// The lease time of the worker that this session is of; zero if it is not known.
    std::chrono::microseconds lease_time() const noexcept { return lease_time_; }
    /// How many transactions the client has sent.
    int transactions() const noexcept { return sent_; }
    /// The names of the statements of the last transaction that the client has sent, with blanks around each.
    const std::string& last_transaction() const noexcept { return last_; }
    /// The request id of an enqueue in the bytes that were sent last. Empty if there is none.
    const std::string& request() const noexcept { return request_; }
    /// Whether the server has answered all transactions.
    bool is_answered() const noexcept { return answers_ > sent_; }
    /// Whether this is no session that can be read: it is encrypted, or a request to cancel.
    bool is_opaque() const noexcept { return opaque_; }
    /// Whether a test holds this session itself, so that nobody replaces it.
    bool is_only_slow() const noexcept { return only_slow_; }

private:
    void client_said(char type, std::string_view content) {
        switch (type) {
        case '\0':
            opaque_ = number_at<std::uint32_t>(content) >> 16 != 3;
            if (opaque_) break;
            application_ = startup_setting(content, "application_name");
            only_slow_ = startup_setting(content, "options").find(only_slow) != std::string::npos;
            break;
        case 'P': parses_problems_ = content.find(end_of_problems()) != std::string_view::npos; break;
        case 'B': bound(bind_view{content}); break;
        case 'Q':  // the server answers a simple query as it answers a Sync
            present_ += "? ";
            [[fallthrough]];
        case 'S':
            ++sent_;
            before_last_ = std::exchange(last_, std::exchange(present_, " "));
            break;
        default: break;
        }
    }

    void bound(const bind_view& b) {
        const std::string_view name = b.statement();
        present_ += name.empty() ? std::string_view{"?"} : name;
        present_ += ' ';
        if (name == "pin_plans") pinned_ = true;
        if (name.empty() && pinned_ && parses_problems_) kind_ = session_kind::worker;
        if (name == "watch" && ++watches_ == enough_watches) kind_ = session_kind::watcher;
        if (name == "keep_schedules" || name == "fire_schedules") kind_ = session_kind::scheduler;
        if (name == "register_worker" || name == "register_worker_of_queues") {
            lease_time_ = std::chrono::microseconds{number_at<std::int64_t>(b.parameter(0))};
            registers_ = sent_ + 1;
        }
        if (name == "enqueue_tracked") request_ = b.parameter(-1);
        if (name == "leases_of" && kind_ == session_kind::other) recognize(b, session_kind::worker);
        if (name == "beat" && !pinned_) recognize(b, session_kind::heartbeat);
    }
    // By the id of its worker.
    void recognize(const bind_view& b, session_kind kind) {
        const auto known = known_->find(application_, number_at<std::int32_t>(b.parameter(0)));
        lease_time_ = known.lease_time;
        if (known.is_worker || kind != session_kind::worker) kind_ = kind;
    }

    // Whether this is the answer to the commit of an enqueue.
    bool server_said(char type, std::string_view content) {
        if (type == 'D' && answers_ == registers_)  // the first answer is that to the start
            known_->add(application_, number_at<std::int32_t>(first_column(content)),
                        {kind_ == session_kind::worker, lease_time_});
        if (type == 'C' && content.starts_with("COPY ")) copied_ = true;
        if (type != 'Z') return false;
        ++answers_;
        const bool copied = std::exchange(copied_, false);
        if (content != "I" || present_ != " ") return false;
        if (is_answered()) return copied;
        return answers_ == sent_ && last_ == " wake " && before_last_.find(" enqueue_") != std::string::npos;
    }

    // Behind the last place of its text where the schema is.
    static std::string_view end_of_problems() {
        const std::string_view text = pgq::statement::find_problems.text;
        return text.substr(text.rfind('}') + 1);
    }

    // A wait asks at once, after 100 ms, after 200 ms more, and so on. One that has no time left asks once, and cannot
    // ask again.
    static constexpr int enough_watches = 4;

    known_sessions* known_;
    message_reader up_{true}, down_{false};
    session_kind kind_ = session_kind::other;
    std::string application_{}, request_{};
    std::string present_{" "}, last_{" "}, before_last_{" "};  // transactions, as last_transaction()
    std::chrono::microseconds lease_time_{0};
    int sent_ = 0, answers_ = 0, registers_ = -1, watches_ = 0;  // sent_: transactions
    bool opaque_ = false, only_slow_ = false, pinned_ = false, parses_problems_ = false;
    bool copied_ = false;  // the transaction that is being answered has stored a stream
};

}  // namespace test::faults
