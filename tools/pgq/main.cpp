#include "command/compact.hpp"
#include "command/completion.hpp"
#include "command/drain.hpp"
#include "command/health.hpp"
#include "command/install.hpp"
#include "command/limits.hpp"
#include "command/limits_set.hpp"
#include "command/man.hpp"
#include "command/pause.hpp"
#include "command/queues.hpp"
#include "command/resume.hpp"
#include "command/schedules/fire.hpp"
#include "command/schedules/list.hpp"
#include "command/schedules/next.hpp"
#include "command/schedules/pause.hpp"
#include "command/schedules/remove.hpp"
#include "command/schedules/resume.hpp"
#include "command/sql.hpp"
#include "command/stats.hpp"
#include "command/uninstall.hpp"
#include "command/upgrade.hpp"
#include "command/verify.hpp"
#include "tree/command_tree.hpp"

#ifdef PGQ_TOOL_PROMETHEUS
#include "command/metrics.hpp"
#endif

int main(int argc, char** argv) {
    namespace command = pgq::tool::command;
    pgq::tool::command_tree tree;
    const auto root = tree.root();
    root.add<command::install>();
    root.add<command::upgrade>();
    root.add<command::uninstall>();
    root.add<command::verify>();
    const auto sql = root.group("sql", "Print a script for psql, and connect to nothing");
    sql.add<command::sql_install>();
    sql.add<command::sql_upgrade>();
    sql.add<command::sql_uninstall>();
    sql.add<command::sql_roles>();
    root.add<command::health>();
    root.add<command::queues>();
    root.add<command::stats>();
    root.add<command::limits>().add<command::limits_set>();
    root.add<command::pause>();
    root.add<command::drain>();
    root.add<command::resume>();
    const auto schedules = root.group("schedules", "Look after schedules");
    schedules.add<command::schedules::list>();
    schedules.add<command::schedules::next>();
    schedules.add<command::schedules::fire>();
    schedules.add<command::schedules::pause>();
    schedules.add<command::schedules::resume>();
    schedules.add<command::schedules::remove>();
#ifdef PGQ_TOOL_PROMETHEUS
    root.add<command::metrics>();
#endif
    root.add<command::compact>();
    root.add<command::completion>();
    root.add<command::man>();
    return tree.run(argc, argv);
}
