#pragma once

#include <pgq/cli/output/table.hpp>
#include <pgq/cli/plain_connection.hpp>

#include <pgq/error/result.hpp>
#include <pgq/schema/generated.hpp>
#include <pgq/schema/plan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace pgq::cli {

/// What of pgq is in the database.
class installation {
public:
    static installation read(plain_connection& db) {
        installation found;
        const auto there =
            db.read("SELECT to_regclass('{q}.migration') IS NOT NULL AND to_regclass('{q}.lane') IS NOT NULL");
        if (there[0][0] != "t") return found;
        found.exists_ = true;
        const auto rows = db.read("SELECT version, checksum FROM {s}.migration ORDER BY version");
        for (std::size_t i = 0; i < rows.size(); ++i)
            found.applied_.push_back({std::atoi(rows[i][0]->c_str()), std::atoll(rows[i][1]->c_str())});
        return found;
    }

    bool exists() const noexcept { return exists_; }
    int version() const noexcept { return applied_.empty() ? 0 : applied_.back().version; }
    /// errc::schema_newer or schema_changed, if this program must not touch it.
    result<std::vector<const schema::migration*>> missing() const { return schema::plan(schema::migrations, applied_); }

    /// Why a session would not accept it.
    result<void> check(const std::string& schema_name) const {
        const std::string name = "schema " + statement::quoted(schema_name);
        if (!exists_) return error_info{errc::schema_missing, "there are no pgq tables in " + name};
        const auto plan = missing();
        if (!plan) return plan.error();
        if (plan->empty()) return {};
        return error_info{errc::schema_older, name + " has version " + std::to_string(version()) +
                                                  ", this program knows " + std::to_string(schema::version)};
    }
    /// Each migration of this version, and whether the database has it.
    table migrations() const {
        table t{{{"version", kind::number}, {"name"}, {"state"}}};
        const auto plan = missing().value();
        for (const auto& m : schema::migrations) {
            const bool lacks = std::find(plan.begin(), plan.end(), &m) != plan.end();
            t.add({std::int64_t{m.version}, std::string{m.name}, std::string{lacks ? "missing" : "applied"}});
        }
        return t;
    }

private:
    bool exists_ = false;
    std::vector<schema::applied> applied_{};
};

}  // namespace pgq::cli
