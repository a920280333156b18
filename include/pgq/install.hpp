#pragma once

/// Scripts for psql: `install_sql()` and `upgrade_sql()` print the tables, `roles_sql()` the roles and their rights,
/// `uninstall_sql()` deletes all. None connects to a database.
#include <pgq/schema/install_sql.hpp>
#include <pgq/schema/roles_sql.hpp>
#include <pgq/schema/uninstall_sql.hpp>
