#pragma once

/// Workers in simulated time: many schedules of faults in a second, each of which can be repeated by its seed. See
/// docs/guides/testing.md. It needs Asio.
#include <pgq/testing/simulation/driver.hpp>
#include <pgq/testing/simulation/executor.hpp>
#include <pgq/testing/simulation/process.hpp>
#include <pgq/testing/simulation/worker.hpp>
#include <pgq/testing/simulation/world.hpp>
