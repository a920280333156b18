#pragma once

#include <pgq/cli/description.hpp>
#include <pgq/cli/global_options.hpp>
#include <pgq/cli/output/exit_code.hpp>
#include <pgq/cli/output/program_name.hpp>
#include <pgq/cli/output/terminal.hpp>
#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/help.hpp>
#include <pgq/cli/tree/node.hpp>

#include <pgq/error/result.hpp>

#include <CLI/CLI.hpp>

#include <concepts>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

namespace pgq::cli {

/// A sub-command: a class with its name, a sentence without its full stop, its options, and what it does.
template <class C>
concept sub_command = requires(C c, CLI::App& a, program& p) {
    { C::name } -> std::convertible_to<std::string>;
    { C::what } -> std::convertible_to<std::string>;
    c.declare(a);
    { c.run(p) } -> std::same_as<exit_code>;
};

/// The sub-commands and their options.
class command_tree {
public:
    /// A sub-command that may get more of them.
    class branch {
    public:
        template <sub_command Command, class... Args>
        branch add(Args&&... args) const {
            auto command = std::make_shared<Command>(std::forward<Args>(args)...);
            CLI::App& a = *at_->add_subcommand(Command::name, Command::what);
            a.require_subcommand(0);
            command->declare(a);
            tree_->actions_[&a] = [command](program& p) { return command->run(p); };
            return {*tree_, a};
        }
        /// One that does nothing without one of its sub-commands.
        branch group(const std::string& name, const std::string& what) const {
            CLI::App& a = *at_->add_subcommand(name, what);
            a.require_subcommand(1);
            return {*tree_, a};
        }

    private:
        friend command_tree;
        branch(command_tree& tree, CLI::App& at) : tree_{&tree}, at_{&at} {}

        command_tree* tree_;
        CLI::App* at_;
    };

    explicit command_tree(description about = {})
        : about_{std::move(about)}, root_{about_.what, about_.name}, options_{.schema = about_.database.schema} {
        program_name() = about_.name;
        root_.require_subcommand(1);
        root_.fallthrough();  // global options are accepted behind a sub-command
        root_.set_version_flag("--version", about_.version, "Print the version");
        options_.declare(root_, !about_.database.conninfo.empty());
    }
    command_tree(const command_tree&) = delete;
    command_tree& operator=(const command_tree&) = delete;

    branch root() { return {*this, root_}; }
    void decode_payloads_with(payload_decoder d) { decode_ = std::move(d); }

    /// Reads the line and does what it says.
    int run(int argc, const char* const* argv) {
        try {
            return static_cast<int>(obey(argc, argv));
        } catch (const failure& e) {
            complain(explain(e.info()).text());
            return static_cast<int>(code_of(e.info()));
        }
    }

private:
    exit_code obey(int argc, const char* const* argv) {
        try {
            root_.parse(argc, argv);
        } catch (const CLI::Success& e) {  // --help, --version
            return answer(e);
        } catch (const CLI::Error& e) {
            const auto unknown = root_.remaining(true);
            complain((unknown.empty() ? std::string{e.what()} : '"' + unknown.front() + "\" is not known here") +
                     "; see \"" + node_path() + " --help\"");
            return exit_code::wrong_use;
        }
        program p{options_, about_, root_, decode_};
        return actions_.at(&selected())(p);
    }
    exit_code answer(const CLI::Success& e) {
        if (e.get_name() == "CallForVersion") write_out(std::string{e.what()} + '\n');
        else write_out(help_of(described()));
        return exit_code::done;
    }
    const CLI::App& selected() const {
        const CLI::App* at = &root_;
        while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
        return *at;
    }
    std::string node_path() const {
        std::string path = root_.get_name();
        for (const CLI::App* at = &root_; !at->get_subcommands().empty();) {
            at = at->get_subcommands().front();
            path += ' ' + at->get_name();
        }
        return path;
    }
    node described() const {
        const std::string path = node_path();
        return node_of(selected(), path.substr(0, path.size() - selected().get_name().size()));
    }

    description about_;
    CLI::App root_;
    global_options options_;
    payload_decoder decode_{};
    std::map<const CLI::App*, std::function<exit_code(program&)>> actions_{};
};

}  // namespace pgq::cli
