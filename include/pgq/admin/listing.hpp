#pragma once

#include <pgq/admin/selection.hpp>
#include <pgq/detail/utf8.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/id.hpp>
#include <pgq/protocol/found_job.hpp>
#include <pgq/protocol/listing.hpp>
#include <pgq/protocol/statistics.hpp>
#include <pgq/protocol/tracked.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace pgq::detail {

inline result<void> check_names(const lane_query& q) {
    if (is_storable_text(q.queue) && is_storable_text(q.entrypoint)) return {};
    return error_info{errc::invalid_text, "the name of a queue or entrypoint has a zero byte or invalid UTF-8"};
}

/// The members of pgq::admin that read. A role that is a reader may call them, except for those that return payloads.
template <class Admin>
class admin_listing {
public:
    /// At most `most` lanes, in the order of their ids.
    result<std::vector<listed_lane>> lanes(const lane_query& q = {}) {
        if (q.most < 1) return error_info{errc::invalid_option, "a page of lanes has at least one"};
        if (auto fine = check_names(q); !fine) return std::move(fine.error());
        return with([&](auto& s) { return s.list_lanes(q); });
    }
    /// How many jobs of these lanes are in each state, in the order of `lanes`; no state is counted beyond `most`.
    /// Without `most`, all of it takes a fraction of a second.
    result<std::vector<capped_counts>> counts(std::span<const lane_id> lanes, std::int64_t most = 0) {
        const std::int64_t bound = most > 0 ? most : bound_of_counts(lanes.size());
        return with([&](auto& s) { return s.counts_up_to(lanes, bound); });
    }

    /// A page of the jobs that match, without their payloads, in the order of their ids. A page with a `next` may have
    /// fewer jobs than asked for: see page_options::patience.
    result<job_page> jobs(const job_selection& which = {}, const page_options& options = {}) {
        if (auto fine = check_count(options.most, "the size of a page"); !fine) return std::move(fine.error());
        selected_jobs selected{which};
        if (auto ready = prepare(selected); !ready) return std::move(ready.error());
        job_page page;
        using clock = std::chrono::steady_clock;
        const auto until = clock::now() + options.patience;
        for (job_id after = options.after; !selected.is_empty();) {
            const auto began = clock::now();
            const auto room = options.most - static_cast<std::int64_t>(page.jobs.size());
            auto search = selected.search(after, room);
            search.look = look_of_pages;
            auto found = with([&](auto& s) { return s.list_jobs(search); });
            if (!found) return found;
            selected.narrow(found->jobs);
            std::move(found->jobs.begin(), found->jobs.end(), std::back_inserter(page.jobs));
            page.next = found->next;
            const bool full = static_cast<std::int64_t>(page.jobs.size()) >= options.most;
            const auto now = clock::now();
            if (!page.next || full || now + (now - began) > until) break;  // the next look would take as long
            after = *page.next;
        }
        return page;
    }

    /// All that is known of a job, with its payload. Empty if nothing is known of it.
    result<std::optional<found_job>> job(job_id id) {
        return with([&](auto& s) { return s.find_one(id); });
    }
    /// The bytes of a payload as its serializer wrote them. Empty if the job has ended, or is unknown. The caller
    /// decides what of them a person may see.
    result<std::optional<std::string>> payload_of(job_id id) {
        auto found = job(id);
        if (!found) return std::move(found.error());
        if (!*found || (*found)->state == job_state::ended) return std::optional<std::string>{};
        return std::optional{std::move((*found)->body)};
    }
    /// The failed attempts of a job, oldest first.
    result<std::vector<failed_attempt>> failures(job_id id) {
        return with([&](auto& s) { return s.failures(id); });
    }
    /// The latest progress of a job that runs or waits.
    result<std::optional<std::string>> progress_of(job_id id) {
        return with([&](auto& s) { return s.progress_of(id); });
    }

    /// The registered workers, in the order of their ids; at most `most` behind `after`.
    result<std::vector<listed_worker>> workers(worker_id after = {}, std::int64_t most = 1000) {
        if (most < 1) return error_info{errc::invalid_option, "a page of workers has at least one"};
        return with([&](auto& s) { return s.list_workers(after, most); });
    }

    /// Held jobs by lane and by the first line of their reasons, largest group first. Of each lane it looks at the
    /// latest jobs only: all of it takes a fraction of a second, and a number says if there are more.
    result<std::vector<failed_group>> failed_groups(const std::string& queue = {}, const std::string& entrypoint = {}) {
        selected_jobs selected{{.queue = queue, .entrypoint = entrypoint}};
        if (auto ready = prepare(selected); !ready) return std::move(ready.error());
        if (selected.is_empty()) return std::vector<failed_group>{};
        std::size_t n = 0;
        const auto lanes = selected.search({}, 1).lanes;
        if (lanes) n = lanes->size();
        else if (auto all = this->lanes({.most = 100'000}); all) n = all->size();
        else return std::move(all.error());
        return with([&](auto& s) { return s.failed_groups(lanes, bound_of_groups(n)); });
    }

    /// Sums over these lanes; see queue::statistics.
    result<std::vector<lane_statistics>> statistics(const statistics_request& r) {
        return with([&](auto& s) { return s.statistics(r); });
    }
    /// The latest failed attempts of jobs of these lanes.
    result<std::vector<job_failure>> latest_failures(std::span<const lane_id> lanes, std::size_t limit = 50) {
        return with([&](auto& s) { return s.latest_failures(lanes, limit); });
    }

protected:
    admin_listing() = default;

    result<void> prepare(selected_jobs& selected) {
        if (auto fine = selected.check(); !fine) return fine;
        return selected.find_lanes([&](auto use) { return with(use); });
    }

private:
    /// A person waits for a page: it looks at fewer jobs than an action on all that match does.
    static constexpr std::int64_t look_of_pages = 1000;
    /// How many jobs of each lane: 20 000 of all together.
    static constexpr std::int64_t bound_of_groups(std::size_t lanes) noexcept {
        return std::clamp<std::int64_t>(20'000 / static_cast<std::int64_t>(std::max<std::size_t>(lanes, 1)), 20,
                                        10'000);
    }
    template <class Use>
    auto with(Use use) {
        return static_cast<Admin&>(*this).connection().with(use);
    }
};

}  // namespace pgq::detail
