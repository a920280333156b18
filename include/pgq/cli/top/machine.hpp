#pragma once

#include <pgq/cli/top/answers.hpp>
#include <pgq/cli/top/draw_job.hpp>
#include <pgq/cli/top/key.hpp>
#include <pgq/cli/top/model.hpp>
#include <pgq/cli/top/request.hpp>
#include <pgq/cli/top/rows.hpp>

#include <pgq/time/clock.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pgq::cli::top {

/// The screen as a state machine: events go in, what to ask the database comes out, and draw.hpp draws `state()`. It
/// reads no clock and does no I/O. docs/design/command.md has a picture.
class machine {
public:
    using requests = std::vector<request>;

    explicit machine(settings with) : m_{.with = std::move(with)} {
        m_.lists[static_cast<std::size_t>(view::entrypoints)].order = {.column = 0, .descending = true};
        m_.lists[static_cast<std::size_t>(view::workers)].order = {.column = 0, .descending = true};
        m_.lists[static_cast<std::size_t>(view::schedules)].order = {.column = 3};
    }

    const model& state() const noexcept { return m_; }

    void resized(screen_size s) {
        if (s == m_.size) return;
        m_.size = s;
        scroll();
    }
    /// A sample, if it is time.
    requests tick(steady_time now) {
        if (m_.said && now >= m_.said->until) m_.said.reset();
        if (asked_ || now < next_sample_ || !(m_.updating || wants_one_)) return {};
        asked_ = true;
        wants_one_ = false;
        return {{.what = ask::sample}};
    }
    /// For how long nothing happens unless somebody presses a key or the database answers.
    std::chrono::milliseconds idle_time(steady_time now) const {
        using std::chrono::milliseconds;
        const bool waits = asked_ || !(m_.updating || wants_one_);
        const duration left = waits ? duration::max() : next_sample_ - now;
        return std::chrono::ceil<milliseconds>(std::clamp<duration>(left, milliseconds{1}, milliseconds{1000}));
    }
    requests answered(reply r, steady_time now) {
        requests out;
        if (r.to.what == ask::sample) {
            asked_ = false;
            next_sample_ = now + m_.with.interval;
            apply_sample(m_, std::move(r), now);
            if (m_.now == view::jobs) out = {page_request()};
            if (m_.now == view::job) out = {{.what = ask::job, .of = {.job = m_.job.id}}};
        } else if (apply(m_, std::move(r), now)) {
            next_sample_ = now;  // something has changed
            wants_one_ = true;
        }
        scroll();
        return out;
    }
    requests pressed(key k, steady_time now) {
        m_.counting = false;
        requests out = m_.question ? answer_question(k, now)
                       : m_.typing ? type(k)
                       : m_.help   ? close_help()
                                   : obey(k, now);
        scroll();
        return out;
    }

private:
    requests close_help() {
        m_.help = false;
        return {};
    }
    requests answer_question(key k, steady_time now) {
        request q = std::move(*m_.question);
        m_.question.reset();
        if (k == 'y' || k == 'Y') return {std::move(q)};
        say(m_, "nothing was changed", look::plain, now);
        return {};
    }
    requests type(key k) {
        std::string& text = m_.list().filter;
        if (k == keys::enter) m_.typing = false;
        else if (k == keys::escape) text.clear(), m_.typing = false;
        else if (k == keys::backspace) erase_last(text);
        else if (keys::is_text(k) && text.size() < longest_filter) append(text, k);
        return {};
    }
    static constexpr std::size_t longest_filter = 200;
    static void erase_last(std::string& text) {
        while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) text.pop_back();
        if (!text.empty()) text.pop_back();
    }
    static void append(std::string& text, char32_t c) {
        const auto more = [&](int shift) { text += static_cast<char>(0x80U | ((c >> shift) & 0x3FU)); };
        if (c < 0x80) text += static_cast<char>(c);
        else if (c < 0x800) text += static_cast<char>(0xC0U | (c >> 6)), more(0);
        else if (c < 0x10000) text += static_cast<char>(0xE0U | (c >> 12)), more(6), more(0);
        else text += static_cast<char>(0xF0U | (c >> 18)), more(12), more(6), more(0);
    }

    requests obey(key k, steady_time now) {
        m_.said.reset();
        switch (k) {
        case 'q': return {{.what = ask::quit}};
        case '?': m_.help = true; return {};
        case ' ': m_.updating = !m_.updating; return {};
        case '+':
        case '=':
        case '-': change_interval(k != '-', now); return {};
        case '1':
        case '2':
        case '3':
        case '4': return go_to(static_cast<view>(k - '1'));
        case keys::tab: return go_to(static_cast<view>((static_cast<int>(m_.base) + 1) % 4));
        case keys::back_tab: return go_to(static_cast<view>((static_cast<int>(m_.base) + 3) % 4));
        case 'p': return pause(now);
        case 'r': return act(job_action::requeue, now);
        case 'c': return act(job_action::cancel, now);
        case keys::escape:
        case keys::backspace: return go_back(now);
        default: return m_.now == view::job ? obey_in_job(k) : obey_in_list(k, now);
        }
    }
    void change_interval(bool longer, steady_time now) {
        using namespace std::chrono_literals;
        static constexpr std::array<duration, 7> all{500ms, 1s, 2s, 5s, 10s, 30s, 60s};
        auto& interval = m_.with.interval;
        const auto after = std::upper_bound(all.begin(), all.end(), interval);
        const auto from = std::lower_bound(all.begin(), all.end(), interval);
        if (longer && after != all.end()) interval = *after;
        if (!longer && from != all.begin()) interval = *(from - 1);
        next_sample_ = std::min(next_sample_, now + interval);
    }
    requests go_to(view v) {
        m_.base = m_.now = v;
        return {};
    }
    requests go_back(steady_time now) {
        if (m_.now == view::job) m_.now = m_.under_job;
        else if (!m_.list().filter.empty()) m_.list().filter.clear();
        else if (m_.now == view::jobs) m_.now = view::entrypoints;
        else return {{.what = ask::stop}};
        (void)now;
        return {};
    }

    requests obey_in_job(key k) {
        std::size_t& first = m_.list().first;
        if (k == 'v') return {{.what = ask::payload, .of = {.job = m_.job.id}}};
        if (k == keys::left) m_.now = m_.under_job;
        else if (k == keys::up || k == 'k') first -= first > 0 ? 1 : 0;
        else if (k == keys::down || k == 'j') ++first;
        else if (k == keys::page_up) first -= std::min(first, list_height());
        else if (k == keys::page_down) first += list_height();
        else if (k == keys::home) first = 0;
        return {};
    }
    requests obey_in_list(key k, steady_time now) {
        switch (k) {
        case 's': sort_by_next(); return {};
        case 'S': m_.list().order.descending = !m_.list().order.descending; return {};
        case '/': m_.typing = true; return {};
        case keys::enter: return open(now);
        case 'n':
        case keys::right: return m_.now == view::jobs ? turn_page(true, now) : requests{};
        case 'b':
        case keys::left: return m_.now == view::jobs ? turn_page(false, now) : requests{};
        default: move(k); return {};
        }
    }
    void sort_by_next() {
        const grid g = arranged_rows(m_);
        if (!g.sortable || g.columns.empty()) return;
        const auto widths = column_widths(g, m_.list().order, m_.size.columns > 2 ? m_.size.columns - 2 : 0);
        std::size_t& column = m_.list().order.column;
        do column = (column + 1) % widths.size();
        while (widths[column] == 0);
        m_.list().order.descending = g.columns[column].at_right;  // of numbers the largest come first
    }
    void move(key k) {
        const grid g = arranged_rows(m_);
        if (g.rows.empty()) return;
        const std::size_t at = chosen_row(g, m_.list()), last = g.rows.size() - 1, page = list_height();
        std::size_t to = at;
        if (k == keys::up || k == 'k') to = at - (at > 0 ? 1 : 0);
        else if (k == keys::down || k == 'j') to = at + 1;
        else if (k == keys::page_up) to = at - std::min(at, page);
        else if (k == keys::page_down) to = at + page;
        else if (k == keys::home || k == 'g') to = 0;
        else if (k == keys::end || k == 'G') to = last;
        else return;
        m_.list().at = std::min(to, last);
        m_.list().chosen = g.rows[m_.list().at].of;
    }

    std::optional<target> chosen() const {
        if (m_.now == view::job) return target{.job = m_.job.id};
        const grid g = arranged_rows(m_);
        if (g.rows.empty()) return std::nullopt;
        return g.rows[chosen_row(g, m_.list())].of;
    }
    requests open(steady_time now) {
        const auto of = chosen();
        if (!of) return {};
        if (m_.now == view::entrypoints) {
            m_.lane = *of;
            m_.page.reset();
            m_.pages = {before_all_jobs};
            m_.now = view::jobs;
            m_.list() = {};
            return {page_request()};
        }
        if (!of->job) {
            say(m_, "there is nothing more to see of it", look::plain, now);
            return {};
        }
        m_.under_job = m_.now;
        m_.now = view::job;
        m_.list() = {};
        m_.job = {.id = *of->job};
        return {{.what = ask::job, .of = {.job = of->job}}};
    }
    request page_request() const { return {.what = ask::jobs, .of = m_.lane, .after = m_.pages.back()}; }
    requests turn_page(bool forward, steady_time now) {
        if (forward ? !m_.page || !m_.page->next : m_.pages.size() == 1) {
            say(m_, forward ? "this is the last page" : "this is the first page", look::plain, now);
            return {};
        }
        if (forward) m_.pages.push_back(*m_.page->next);
        else m_.pages.pop_back();
        m_.page.reset();
        const std::string filter = m_.list().filter;
        m_.list() = {.filter = filter};
        return {page_request()};
    }

    bool may_change(steady_time now) {
        if (m_.with.read_only) say(m_, "nothing was changed: pgq top runs with --read-only", look::warning, now);
        return !m_.with.read_only;
    }
    requests ask_first(request q, std::string text) {
        m_.question = std::move(q);
        m_.question_text = std::move(text);
        return {};
    }
    requests pause(steady_time now) {
        if (!may_change(now)) return {};
        const auto of = m_.now == view::jobs ? std::optional{m_.lane} : chosen();
        if (!of || (m_.now != view::jobs && m_.now != view::entrypoints && m_.now != view::schedules)) {
            say(m_, "entrypoints and schedules can be paused; choose one", look::plain, now);
            return {};
        }
        const bool schedule = m_.now == view::schedules;
        const bool paused = schedule ? is_paused_schedule(m_, *of) : is_paused(m_, *of);
        const std::string text =
            (paused ? "resume " : "pause ") + std::string{schedule ? "schedule " : ""} + of->text();
        if (schedule) return ask_first({.what = paused ? ask::resume_schedule : ask::pause_schedule, .of = *of}, text);
        return ask_first({.what = paused ? ask::resume : ask::pause, .of = *of}, text);
    }
    requests act(job_action what, steady_time now) {
        if (!may_change(now)) return {};
        const auto of = chosen();
        if (of && of->job)
            return ask_first({.what = ask::act, .of = {.job = of->job}, .action = what},
                             verb_of(what) + ' ' + target{.job = of->job}.text());
        if (!of || m_.now != view::entrypoints) {
            say(m_, "choose a job, or an entrypoint for all of its jobs", look::plain, now);
            return {};
        }
        m_.counting = true;
        say(m_, "counting the jobs of " + of->text() + " ...", look::plain, now);
        return {{.what = ask::count, .of = *of, .action = what}};
    }

    std::size_t list_height() const noexcept { return m_.size.rows > 5 ? m_.size.rows - 5 : 1; }
    /// Keeps the chosen row on the screen.
    void scroll() {
        if (m_.now == view::job) {
            const std::size_t all = job_lines_of(m_).size(), room = list_height() + 1;
            m_.list().first = std::min(m_.list().first, all > room ? all - room : 0);
            return;
        }
        const grid g = arranged_rows(m_);
        list_state& l = m_.list();
        const std::size_t height = list_height(), n = g.rows.size();
        l.at = chosen_row(g, l);
        if (n > 0 && l.chosen != target{}) l.chosen = g.rows[l.at].of;
        l.first = std::min(l.first, n > height ? n - height : 0);
        if (l.at < l.first) l.first = l.at;
        if (l.at >= l.first + height) l.first = l.at + 1 - height;
    }

    model m_;
    steady_time next_sample_{};
    bool asked_ = false;  ///< a sample is under way
    bool wants_one_ = true;
};

}  // namespace pgq::cli::top
