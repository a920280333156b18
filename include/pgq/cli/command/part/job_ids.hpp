#pragma once

#include <pgq/cli/tree/option_kinds.hpp>

#include <pgq/job/id.hpp>

#include <CLI/App.hpp>
#include <CLI/Validators.hpp>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace pgq::cli::command {

/// The ids of jobs on a line.
class job_ids {
public:
    CLI::Option* declare(CLI::App& a, const std::string& what) {
        return a.add_option("ID", values_, what)
            ->check(CLI::Range(std::int64_t{0}, std::numeric_limits<std::int64_t>::max()))
            ->transform(decimal())
            ->type_name("ID");
    }
    bool empty() const noexcept { return values_.empty(); }
    std::vector<job_id> all() const {
        std::vector<job_id> ids;
        for (const std::int64_t value : values_) ids.push_back({value});
        return ids;
    }

private:
    std::vector<std::int64_t> values_{};
};

}  // namespace pgq::cli::command
