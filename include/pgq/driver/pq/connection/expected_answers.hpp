#pragma once

#include <pgq/statement/query.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pgq::driver::pq {

/// The answers that the server still owes on a connection in pipeline mode, in their order. No I/O: `sent` for each
/// statement that was sent, `came` for each result of libpq. docs/design/wakes.md has the states.
class expected_answers {
public:
    /// Which result comes next.
    enum class part : std::uint8_t { prepare, prepare_end, reply, reply_end, pipeline_sync };
    /// What libpq returned. It ends the results of a statement with a null.
    enum class result_kind : std::uint8_t { value, null, pipeline_sync };

    /// One statement.
    struct sent_one {
        const statement::query* query = nullptr;
        bool prepares = false;  ///< the statement is prepared just before it runs
        bool ends_transaction = false;
        bool awaited = true;   ///< somebody waits for the answer
        bool begins = false;   ///< it only begins the transaction of the step: of its answer only an error counts
        std::size_t step = 0;  ///< its number in the batch; of those that are awaited
    };

    /// Before the statements of a batch. Statements that nobody waits for may still be unanswered.
    void begin_batch() {
        all_.erase(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(at_));
        at_ = awaited_ = 0;
    }
    void sent(const sent_one& s) {
        all_.push_back(s);
        if (s.awaited) awaited_ = all_.size();
        if (all_.size() == at_ + 1) begin();
    }

    /// Nothing is owed.
    bool is_idle() const noexcept { return at_ == all_.size(); }
    /// Nothing is owed that somebody waits for.
    bool is_answered() const noexcept { return at_ >= awaited_; }

    /// The statement whose result comes next, and which result. Not when it is idle.
    const sent_one& current() const noexcept { return all_[at_]; }
    part next() const noexcept { return next_; }
    /// The statement that somebody waits for: the first one of these, or else the current one. Null if it is idle.
    const statement::query* waited_for() const noexcept {
        for (std::size_t i = at_; i < awaited_; ++i)
            if (all_[i].awaited) return all_[i].query;
        return is_idle() ? nullptr : current().query;
    }
    /// False if libpq returns no such thing while the connection works.
    bool came(result_kind what) noexcept {
        switch (next_) {
        case part::prepare: return what != result_kind::null && turn_to(part::prepare_end);
        case part::prepare_end: return turn_to(part::reply);
        case part::reply: return what != result_kind::null && turn_to(part::reply_end);
        case part::reply_end:
            // None of our statements has two results: a second one is ignored.
            if (what != result_kind::null) return true;
            if (!current().ends_transaction) return end();
            commit_failed_ = false;
            return turn_to(part::pipeline_sync);
        case part::pipeline_sync:
            if (what == result_kind::pipeline_sync) return end();
            // The error of a commit, and the null behind it.
            return what == result_kind::value ? (commit_failed_ = true) : commit_failed_;
        }
        return false;
    }

    /// Whether a statement that is not answered yet prepares this query.
    bool prepares(const statement::query& q) const noexcept {
        return std::any_of(all_.begin() + static_cast<std::ptrdiff_t>(at_), all_.end(),
                           [&](const sent_one& s) { return s.prepares && s.query == &q; });
    }

private:
    void begin() noexcept { next_ = current().prepares ? part::prepare : part::reply; }
    bool turn_to(part p) noexcept { return next_ = p, true; }
    bool end() noexcept {
        ++at_;
        if (!is_idle()) begin();
        return true;
    }

    std::vector<sent_one> all_{};
    std::size_t at_ = 0;       // the statement whose answer comes next
    std::size_t awaited_ = 0;  // the answers before this one are awaited
    part next_ = part::reply;
    bool commit_failed_ = false;
};

}  // namespace pgq::driver::pq
