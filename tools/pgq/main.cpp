#include <pgq/cli/command/all.hpp>

#ifdef PGQ_CLI_NCURSES
#include "top/top.hpp"
#endif

int main(int argc, char** argv) {
    pgq::cli::command_tree tree;
    pgq::cli::add_commands(tree);
#ifdef PGQ_CLI_NCURSES
    tree.root().add<pgq_top::top>();
#endif
    return tree.run(argc, argv);
}
