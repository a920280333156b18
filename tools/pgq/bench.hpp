#pragma once

#include <pgq/cli/command_tree.hpp>

/// `pgq bench`. A translation unit of its own compiles its queue and its worker.
void add_bench(pgq::cli::command_tree& tree);
