#include "bench.hpp"

#include <pgq/cli/command/all.hpp>

int main(int argc, char** argv) {
    pgq::cli::command_tree tree;
    pgq::cli::add_commands(tree);
    add_bench(tree);
    return tree.run(argc, argv);
}
