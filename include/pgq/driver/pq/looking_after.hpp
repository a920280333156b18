#pragma once

#include <pgq/driver/pq/script.hpp>
#include <pgq/driver/pq/verbs.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/admin.hpp>
#include <pgq/job/lane.hpp>
#include <pgq/job/limit.hpp>
#include <pgq/job/take.hpp>
#include <pgq/job/tracked.hpp>
#include <pgq/statement/admin.hpp>
#include <pgq/statement/revise.hpp>
#include <pgq/statement/take.hpp>
#include <pgq/statement/wire.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::driver::pq {

/// Numbers of lanes in the only row of an answer.
inline std::vector<lane_id> lanes_in(const step& s, int column) {
    std::vector<lane_id> found;
    if (s.rows() != 1 || s[0].null(column)) return found;
    statement::wire::array_reader ids{s[0].cell(column)};
    for (std::size_t i = 0, n = ids.size(); i < n; ++i) found.push_back({ids.next_number<std::int32_t>()});
    return found;
}

/// The verbs of who looks after a queue: counting, finding, limiting, cancelling and reviving jobs. Each is one statement, whatever
/// connection it goes through. A session that has them says how:
///
/// - `ask(query, bind)`: result<const step*>, runs it with what `bind` gives to its parameters; the answer stays until the next call;
/// - `in_transaction()`: whether somebody else commits it;
/// - `tell(lanes)` and `tell_noted()`: wake sleepers, behind the commit of what they are woken for.
template <class Session>
class looking_after {
public:
    result<std::vector<lane_limit>> limits(std::string_view queue, std::span<const lane_limit> declared) {
        const auto add = [&](statement::params& p) { statement::bind_limits(p.text(queue), declared); };
        if (!declared.empty())
            if (auto added = self().ask(statement::add_limits, add); !added) return std::move(added.error());
        auto answer = self().ask(statement::find_limits, [&](statement::params& p) { p.text(queue); });
        return rows_of<lane_limit>(std::move(answer), read_limit);
    }
    result<bool> change_limit(std::string_view queue, const lane_limit& limit) {
        auto answer = self().ask(statement::change_limit,
                                 [&](statement::params& p) { statement::bind_limit(p.text(queue), limit); });
        if (!answer) return std::move(answer.error());
        const auto touched = lanes_in(**answer, 0);
        self().tell(touched);
        return !touched.empty();
    }

    result<void> find(const find_request& r, std::vector<job_id>& found) {
        static const filter any{};
        const filter& which = r.which ? *r.which : any;
        if (auto fine = which.check(); !fine) return fine;
        const statement::filtered_query q{"find", which, 4, statement::find_before, statement::find_behind};
        auto answer = self().ask(q.get(), [&](statement::params& p) {
            p.int4s(r.lanes.size(), [&](std::size_t i) { return r.lanes[i].value; })
                .text(letters_of(r.where))
                .number(r.limit);
            q.bind_filter(p);
        });
        auto ids = rows_of<job_id>(std::move(answer), [](row_view row) { return job_id{row.number<std::int64_t>(0)}; });
        if (!ids) return std::move(ids.error());
        found = std::move(*ids);
        return {};
    }
    result<std::vector<failed_attempt>> failures(job_id id) {
        auto answer = self().ask(statement::failures, [&](statement::params& p) { p.number(id.value); });
        return rows_of<failed_attempt>(std::move(answer), [](row_view row) {
            return failed_attempt{.attempt = row.number<std::int16_t>(0),
                                  .at = time_point{std::chrono::microseconds{row.number<std::int64_t>(1)}},
                                  .reason = std::string{row.cell(2)}};
        });
    }
    result<std::int64_t> open_jobs(lane_id lane, std::int64_t most) {
        auto answer =
            self().ask(statement::open_jobs, [&](statement::params& p) { p.number(lane.value).number(most); });
        if (!answer) return std::move(answer.error());
        return (**answer)[0].template number<std::int64_t>(0);
    }
    result<void> set_dead_letters(std::span<const lane_id> lanes, std::span<const lane_id> to) {
        auto answer = self().ask(statement::set_dead_letters, [&](statement::params& p) {
            p.int4s(lanes.size(), [&](std::size_t i) { return lanes[i].value; }).int4s(to.size(), [&](std::size_t i) {
                return to[i].value;
            });
        });
        return answer ? result<void>{} : result<void>{std::move(answer.error())};
    }
    result<std::optional<std::string>> progress_of(job_id id) {
        auto answer = self().ask(statement::progress_of, [&](statement::params& p) { p.number(id.value); });
        if (!answer) return std::move(answer.error());
        const step& s = **answer;
        return s.rows() == 0 ? std::optional<std::string>{} : std::string{s[0].cell(0)};
    }

    result<cancel_reply> cancel(std::span<const job_id> ids) {
        return unless_contended([&]() -> result<cancel_reply> {
            auto answer = self().ask(statement::cancel, [&](statement::params& p) { bind_ids(p, ids); });
            if (!answer) return std::move(answer.error());
            const row_view row = (**answer)[0];
            const cancel_reply reply{.removed = row.number<std::int64_t>(0), .stopping = row.number<std::int64_t>(1)};
            if (reply.removed > 0) self().tell_noted();  // who waited for them
            return reply;
        });
    }
    result<std::int64_t> requeue(std::span<const job_id> ids) {
        auto answer = self().ask(statement::requeue, [&](statement::params& p) { bind_ids(p, ids); });
        if (!answer) return std::move(answer.error());
        const auto count = (**answer)[0].template number<std::int64_t>(0);
        const auto touched = lanes_in(**answer, 1);
        self().tell(touched);
        return count;
    }
    result<std::vector<held_job>> held(lane_id lane, std::size_t limit) {
        auto answer = self().ask(statement::held, [&](statement::params& p) {
            p.number(lane.value).number(static_cast<std::int64_t>(limit));
        });
        return rows_of<held_job>(std::move(answer), [&](row_view row) {
            return held_job{.id = {row.number<std::int64_t>(0)},
                            .lane = lane,
                            .attempts = row.number<std::int16_t>(1),
                            .reason = std::string{row.cell(2)},
                            .body = std::string{row.cell(3)}};
        });
    }
    result<lane_counts> counts(lane_id lane) {
        auto answer = self().ask(statement::counts, [&](statement::params& p) { p.number(lane.value); });
        if (!answer) return std::move(answer.error());
        const row_view row = (**answer)[0];
        return lane_counts{.ready = row.number<std::int64_t>(0),
                           .deferred = row.number<std::int64_t>(1),
                           .leased = row.number<std::int64_t>(2),
                           .held = row.number<std::int64_t>(3)};
    }

protected:
    // What locks many jobs may meet others who lock some of them in another order: the server ends one of them, of whom nothing remains,
    // and who may simply try again. Not inside of the user's transaction, which is over then.
    template <class Call>
    auto unless_contended(Call call) -> decltype(call()) {
        for (int tries = 1;; ++tries) {
            auto answer = call();
            if (answer || tries == 10 || self().in_transaction() || answer.error() != condition::contention)
                return answer;
        }
    }

private:
    Session& self() noexcept { return static_cast<Session&>(*this); }

    template <class Row, class Read>
    static result<std::vector<Row>> rows_of(result<const step*> answer, Read read) {
        if (!answer) return std::move(answer.error());
        std::vector<Row> found;
        found.reserve(static_cast<std::size_t>((*answer)->rows()));
        for (int i = 0; i < (*answer)->rows(); ++i) found.push_back(read((**answer)[i]));
        return found;
    }
    static std::string letters_of(job_place where) {
        constexpr std::pair<job_place, char> letters[] = {{job_place::ready, 'w'},
                                                          {job_place::deferred, 'd'},
                                                          {job_place::blocked, 'b'},
                                                          {job_place::leased, 'l'},
                                                          {job_place::held, 'h'}};
        std::string out;
        for (const auto& [place, letter] : letters)
            if (includes(where, place)) out += letter;
        return out;
    }
    static void bind_ids(statement::params& p, std::span<const job_id> ids) {
        p.int8s(ids.size(), [&](std::size_t i) { return ids[i].value; });
    }
};

}  // namespace pgq::driver::pq
