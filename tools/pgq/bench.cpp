#include "bench.hpp"

#include <pgq/cli/command/bench.hpp>

void add_bench(pgq::cli::command_tree& tree) { tree.root().add<pgq::cli::command::bench>(); }
