#pragma once

#include <pgq/client/client_connection.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/bodies.hpp>
#include <pgq/protocol/enqueue.hpp>

#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::detail {

/// Joins the jobs that several threads enqueue at the same time, one job each, into one insert with one commit. While
/// one thread waits for the server, the calls of the other threads wait; then one of these threads sends all waiting
/// calls. If no other call waits or is being sent, a call is sent at once.
///
/// A job is durable when its call returns. An error of one job reaches only its own call; errc::connection_lost reaches
/// all calls of that insert, and their jobs are in doubt. Jobs are inserted in the order of the calls.
template <class Driver>
class group_commit {
public:
    /// `lane` is the position of a lane in the composition. `options` may set nothing but a priority. Blocks until the
    /// job is stored.
    result<job_id> put(client_connection<Driver>& to, std::size_t lane, const enqueue_options& options,
                       std::string_view body) {
        entry mine{.lane = lane, .options = &options, .body = body};
        std::unique_lock lock{mutex_};
        waiting_.push_back(&mine);
        changed_.wait(lock, [&] { return mine.answer || !is_sending_; });
        // This thread sends the oldest calls first. It may need more than one insert until its own call is sent.
        while (!mine.answer) {
            is_sending_ = true;
            const auto group = take_group();
            lock.unlock();
            auto answers = send(to, group);
            lock.lock();
            for (std::size_t i = 0; i < group.size(); ++i) group[i]->answer.emplace(std::move(answers[i]));
            is_sending_ = false;
            changed_.notify_all();
        }
        return std::move(*mine.answer);
    }

private:
    struct entry {
        std::size_t lane = 0;
        const enqueue_options* options = nullptr;
        std::string_view body{};
        std::optional<result<job_id>> answer{};
    };

    static constexpr std::size_t most_jobs = 1000;
    static constexpr std::size_t most_bytes = std::size_t{1} << 20;

    // Removes the oldest calls from `waiting_`, as many as one statement can insert: of one lane and one priority.
    std::vector<entry*> take_group() {
        std::size_t n = 0, bytes = 0;
        while (n < waiting_.size() && n < most_jobs && waiting_[n]->lane == waiting_[0]->lane &&
               waiting_[n]->options->priority == waiting_[0]->options->priority &&
               (n == 0 || bytes + waiting_[n]->body.size() <= most_bytes))
            bytes += waiting_[n++]->body.size();
        const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(n);
        std::vector<entry*> group(waiting_.begin(), end);
        waiting_.erase(waiting_.begin(), end);
        return group;
    }

    // Sends the group. Returns one answer for each call, also after an exception, because each call waits for its
    // answer. If the server refuses the group, sends each job alone, so that an error reaches only its own call.
    static std::vector<result<job_id>> send(client_connection<Driver>& to, const std::vector<entry*>& group) {
        std::vector<result<job_id>> answers;
        answers.reserve(group.size());
        try {
            auto ids = insert(to, group);
            if (ids)
                for (std::size_t i = 0; i < group.size(); ++i) answers.emplace_back((*ids)[i]);
            else if (group.size() == 1 || ids.error() == errc::connection_lost)
                answers.assign(group.size(), result<job_id>{ids.error()});
            else
                for (entry* const e : group) answers.push_back(insert_one(to, e));
        } catch (const std::exception& e) {
            answers.assign(group.size(), result<job_id>{error_info{errc::invalid_option, e.what()}});
        }
        return answers;
    }
    static result<std::vector<job_id>> insert(client_connection<Driver>& to, const std::vector<entry*>& group) {
        bodies written;
        for (const entry* const e : group) written.bytes() += e->body, written.close();
        return to.with([&](auto& session, auto& lanes) -> result<std::vector<job_id>> {
            std::vector<job_id> ids;
            const enqueue_request r{
                .lane = lanes[group[0]->lane], .bodies = &written, .options = {group[0]->options, 1}};
            if (auto put = session.enqueue(r, ids); !put) return put.error();
            return ids;
        });
    }
    static result<job_id> insert_one(client_connection<Driver>& to, entry* e) {
        auto ids = insert(to, {e});
        return ids ? result<job_id>{ids->front()} : result<job_id>{std::move(ids.error())};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<entry*> waiting_;
    bool is_sending_ = false;
};

}  // namespace pgq::detail
