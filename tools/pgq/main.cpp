#include "bench.hpp"

#include <pgq/cli/command/all.hpp>

#ifdef PGQ_CLI_NCURSES
#include "top/top.hpp"
#endif
#ifdef PGQ_CLI_WEB
#include "web/command.hpp"
#endif

int main(int argc, char** argv) {
    pgq::cli::command_tree tree;
    pgq::cli::add_commands(tree);
    add_bench(tree);
#ifdef PGQ_CLI_NCURSES
    tree.root().add<pgq_top::top>();
#endif
#ifdef PGQ_CLI_WEB
    tree.root().add<pgq::web::command>();
#endif
    return tree.run(argc, argv);
}
