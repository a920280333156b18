#pragma once

#include <pgq/concept/driver.hpp>
#include <pgq/concept/usable.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/sql_rows.hpp>
#include <pgq/statement/query.hpp>
#include <pgq/time/call_limit.hpp>

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::web {

/// Lends one session inside of a transaction that cannot write. The transaction begins with the first loan after
/// `end()`, and lasts until the next `end()`. One thread at a time may use it and its copies.
class reading_driver {
public:
    using policy_category = driver_tag;
    using session = driver::libpq::session;

    class loan {
    public:
        explicit loan(std::optional<session>& s) : session_{&s} {}

        session& get() const noexcept { return **session_; }
        void discard() noexcept { session_->reset(); }

    private:
        std::optional<session>* session_;
    };

    explicit reading_driver(driver::libpq inner) : inner_{std::move(inner)} {}

    const driver::connection_options& options() const noexcept { return inner_.options(); }
    result<session> connect(session_role role) const { return inner_.connect(role); }
    result<session> connect(session_role role, const call_limit& limit) const { return inner_.connect(role, limit); }
    result<void> install() const { return inner_.install(); }

    result<loan> borrow() const {
        auto& open = shared_->open;
        if (open && !detail::is_usable(*open)) open.reset();
        if (!open) {
            shared_->begun = false;
            auto opened = inner_.connect(session_role::client);
            if (!opened) return std::move(opened.error());
            open.emplace(std::move(*opened));
        }
        if (!shared_->begun) {
            if (auto done = begin(*open); !done) {
                open.reset();
                return std::move(done.error());
            }
            shared_->begun = true;
        }
        return loan{open};
    }
    /// Ends the transaction. Also after an error, because a transaction in which a statement failed is of no use.
    void end() const {
        auto& open = shared_->open;
        if (!std::exchange(shared_->begun, false) || !open) return;
        if (!open->rollback()) open.reset();
    }
    /// Rows of one statement; `{s}` and `{q}` in it are the schema.
    result<sql_rows> query(std::string_view text, std::initializer_list<sql_rows::cell> parameters = {}) const {
        auto lent = borrow();
        if (!lent) return std::move(lent.error());
        return lent->get().exec(statement::render(text, options().schema), std::vector<sql_rows::cell>{parameters});
    }

private:
    struct state {
        std::optional<session> open{};
        bool begun = false;
    };

    static result<void> begin(session& s) {
        if (auto begun = s.begin(); !begun) return begun;
        auto set = s.exec("SET TRANSACTION READ ONLY", {});
        return set ? result<void>{} : result<void>{std::move(set.error())};
    }

    driver::libpq inner_;
    std::shared_ptr<state> shared_ = std::make_shared<state>();
};

}  // namespace pgq::web
