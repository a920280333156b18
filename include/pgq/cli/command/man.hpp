#pragma once

#include <pgq/cli/program.hpp>
#include <pgq/cli/tree/man_page.hpp>
#include <pgq/cli/tree/node.hpp>

#include <CLI/App.hpp>

namespace pgq::cli::command {

struct man {
    static constexpr const char* name = "man";
    static constexpr const char* what = "Print the manual page";

    void declare(CLI::App&) {}
    exit_code run(program& p) {
        write_out(man_page(node_of(p.tree())));
        return exit_code::done;
    }
};

}  // namespace pgq::cli::command
