#pragma once

#include "program.hpp"
#include "tree/man_page.hpp"
#include "tree/node.hpp"

#include <CLI/App.hpp>

namespace pgq::tool::command {

struct man {
    static constexpr const char* name = "man";
    static constexpr const char* what = "Print the manual page";

    void declare(CLI::App&) {}
    exit_code run(program& p) {
        write_out(man_page(node_of(p.tree())));
        return exit_code::done;
    }
};

}  // namespace pgq::tool::command
