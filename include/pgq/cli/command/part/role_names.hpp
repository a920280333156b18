#pragma once

#include <pgq/schema/roles_sql.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

/// Options for the names of the five roles.
class role_names {
public:
    void declare(CLI::App& a) {
        const auto add = [&a](const char* option, std::string& to) {
            a.add_option(option, to, "Name of that role (" + to + ")")->type_name("NAME");
        };
        add("--owner", names_.owner);
        add("--producer", names_.producer);
        add("--worker", names_.worker);
        add("--operator", names_.operators);
        add("--reader", names_.reader);
    }
    role_options in(const std::string& schema) const {
        role_options o = names_;
        o.schema = schema;
        return o;
    }

private:
    role_options names_{};
};

}  // namespace pgq::cli::command
