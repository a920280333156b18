#pragma once

#include <CLI/App.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace pgq::cli {

/// An option or an argument, for people.
struct option_text {
    std::string names{};  ///< "-n,--count", or the name of an argument
    std::string value{};  ///< what follows the name: "TIME", "json|csv"; empty for a flag
    std::string what{};
    bool is_argument = false;
    bool is_required = false;
    bool is_repeated = false;  ///< an argument that takes several values

    /// "-n", "--count"
    std::vector<std::string> each_name() const {
        std::vector<std::string> all;
        for (std::size_t at = 0; at <= names.size();) {
            const std::size_t end = std::min(names.find(',', at), names.size());
            all.push_back(names.substr(at, end - at));
            at = end + 1;
        }
        return all;
    }
    /// "json", "csv"; empty if any value will do
    std::vector<std::string> choices() const {
        std::vector<std::string> all;
        for (std::size_t at = 0; value.find('|') != std::string::npos && at <= value.size();) {
            const std::size_t end = std::min(value.find('|', at), value.size());
            all.push_back(value.substr(at, end - at));
            at = end + 1;
        }
        return all;
    }
};

/// A sub-command as help, man page and completion need it, without what CLI11 changes from version to version.
struct node {
    std::string path{};  ///< "pgq limits set"
    std::string name{};
    std::string what{};
    bool runs_alone = true;  ///< false: it needs one of its sub-commands
    std::vector<option_text> options{};
    std::vector<node> children{};
};

inline node node_of(const CLI::App& a, const std::string& parent = {}) {
    node n{.path = parent + a.get_name(), .name = a.get_name(), .what = a.get_description()};
    n.runs_alone = a.get_require_subcommand_min() == 0;
    // Later versions of CLI11 name the options of the parents, too.
    std::vector<const CLI::Option*> inherited;
    if (const CLI::App* p = a.get_parent()) inherited = p->get_options();
    for (const CLI::Option* o : a.get_options()) {
        if (o == a.get_help_ptr() || std::find(inherited.begin(), inherited.end(), o) != inherited.end()) continue;
        const bool is_flag = o->get_items_expected_max() == 0;
        const std::string type = o->get_type_name();  // CLI11 puts what it checks behind a colon
        n.options.push_back({.names = o->get_positional() ? o->get_name(true) : o->get_name(false, true),
                             .value = is_flag ? "" : type.substr(0, type.find(':')),
                             .what = o->get_description(),
                             .is_argument = o->get_positional(),
                             .is_required = o->get_required(),
                             .is_repeated = o->get_positional() && o->get_items_expected_max() > 1});
    }
    for (const CLI::App* child : a.get_subcommands([](const CLI::App*) { return true; }))
        n.children.push_back(node_of(*child, n.path + ' '));
    return n;
}

}  // namespace pgq::cli
