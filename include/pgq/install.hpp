#pragma once

/// Scripts for psql: `install_sql()` prints the tables, `roles_sql()` the roles and their rights. Neither connects to a
/// database.
#include <pgq/schema/install_sql.hpp>
#include <pgq/schema/roles_sql.hpp>
