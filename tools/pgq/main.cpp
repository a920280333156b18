#ifdef PGQ_CLI_WEB
#include "web/command.hpp"
#endif

#include <pgq/cli/command/all.hpp>

int main(int argc, char** argv) {
    pgq::cli::command_tree tree;
    pgq::cli::add_commands(tree);
#ifdef PGQ_CLI_WEB
    tree.root().add<pgq::web::command>();
#endif
    return tree.run(argc, argv);
}
