#pragma once

#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/completion.hpp>
#include <pgq/cli/tree/node.hpp>

#include <CLI/App.hpp>

#include <string>

namespace pgq::cli::command {

struct completion {
    static constexpr const char* name = "completion";
    static constexpr const char* what = "Print the script with which a shell completes the line";

    void declare(CLI::App& a) {
        add_choice(a, "SHELL", shell, {"bash", "zsh", "fish"}, "bash, zsh or fish")->required();
    }
    exit_code run(program& p) {
        const node root = node_of(p.tree());
        write_out(shell == "bash"  ? bash_completion(root)
                  : shell == "zsh" ? zsh_completion(root)
                                   : fish_completion(root));
        return exit_code::done;
    }

    std::string shell{};
};

}  // namespace pgq::cli::command
