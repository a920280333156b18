#pragma once

/// pgq::main: a program that is a worker and has the sub-commands of the command `pgq`. It needs CLI11, libpq and
/// Boost.JSON: the target pgq::cli. With pgq::timezones it knows time zones, with pgq::prometheus it has `metrics`.

#include <pgq/diagnostic/programs.hpp>
// The messages come first, as in pgq.hpp.
#include <pgq/cli/app/app.hpp>
#include <pgq/cli/app/main.hpp>
#include <pgq/cli/command/all.hpp>
#include <pgq/cli/command_tree.hpp>
