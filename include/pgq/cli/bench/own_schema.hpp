#pragma once

#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/plain_connection.hpp>

#include <pgq/driver/libpq.hpp>
#include <pgq/driver/pq/session/socket_wait.hpp>
#include <pgq/error/condition.hpp>
#include <pgq/error/result.hpp>
#include <pgq/schema/uninstall_sql.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <utility>

namespace pgq::cli::bench {

/// A schema that no other program has. The destructor deletes it.
class own_schema {
public:
    own_schema(const driver::connection_options& where, bool verbose) : options_{where}, verbose_{verbose} {
        options_.schema = random_name();
    }
    own_schema(const own_schema&) = delete;
    own_schema& operator=(const own_schema&) = delete;
    ~own_schema() { (void)remove(); }

    driver::libpq driver() const { return driver::libpq{options_}; }
    void install() {
        exists_ = true;  // also after an error: the server may have committed
        driver().install().value();
    }
    /// Deletes it. It tries again for some seconds if the server is away. If that fails, stderr has its name, and the
    /// answer is false.
    bool remove() noexcept {
        if (!std::exchange(exists_, false)) return true;
        try {
            for (int tries = 1;; ++tries) {
                auto done = try_to_drop();
                if (done) return true;
                if (tries == most_tries || done.error() != condition::transient) {
                    complain_of(explain(done.error()).text());
                    return false;
                }
                driver::pq::pause_for(std::chrono::seconds{1});
            }
        } catch (const std::exception& e) { complain_of(e.what()); }
        return false;
    }

private:
    static constexpr int most_tries = 6;

    static std::string random_name() {
        std::random_device random;
        std::array<char, 40> name{};
        std::snprintf(name.data(), name.size(), "pgq_bench_%08x%08x", random(), random());
        return name.data();
    }
    result<void> try_to_drop() const {
        try {
            drop();
            return {};
        } catch (const failure& e) { return e.info(); }
    }
    void drop() const {
        driver::connection_options o = options_;
        o.statement_timeout = duration{};  // to delete large files takes long
        plain_connection db{o, verbose_};
        if (db.read("SELECT to_regnamespace('{q}') IS NOT NULL")[0][0] != "t") return;
        db.run_script(uninstall_sql({.schema = o.schema}).value());
    }
    void complain_of(const std::string& why) const {
        complain("the schema " + options_.schema + " is left: " + why +
                 "; delete it with \"pgq uninstall --force --schema " + options_.schema + "\"");
    }

    driver::connection_options options_;
    bool verbose_;
    bool exists_ = false;
};

}  // namespace pgq::cli::bench
