#pragma once

#include <pgq/cli/command/compact.hpp>
#include <pgq/cli/command/completion.hpp>
#include <pgq/cli/command/doctor.hpp>
#include <pgq/cli/command/drain.hpp>
#include <pgq/cli/command/failed/actions.hpp>
#include <pgq/cli/command/failed/list.hpp>
#include <pgq/cli/command/failed/show.hpp>
#include <pgq/cli/command/health.hpp>
#include <pgq/cli/command/install.hpp>
#include <pgq/cli/command/jobs/actions.hpp>
#include <pgq/cli/command/jobs/enqueue.hpp>
#include <pgq/cli/command/jobs/list.hpp>
#include <pgq/cli/command/jobs/move.hpp>
#include <pgq/cli/command/jobs/show.hpp>
#include <pgq/cli/command/limits.hpp>
#include <pgq/cli/command/limits_set.hpp>
#include <pgq/cli/command/man.hpp>
#include <pgq/cli/command/pause.hpp>
#include <pgq/cli/command/paused.hpp>
#include <pgq/cli/command/queues.hpp>
#include <pgq/cli/command/resume.hpp>
#include <pgq/cli/command/schedules/fire.hpp>
#include <pgq/cli/command/schedules/list.hpp>
#include <pgq/cli/command/schedules/next.hpp>
#include <pgq/cli/command/schedules/pause.hpp>
#include <pgq/cli/command/schedules/remove.hpp>
#include <pgq/cli/command/schedules/resume.hpp>
#include <pgq/cli/command/sql.hpp>
#include <pgq/cli/command/stats.hpp>
#include <pgq/cli/command/uninstall.hpp>
#include <pgq/cli/command/upgrade.hpp>
#include <pgq/cli/command/verify.hpp>
#include <pgq/cli/command/workers/forget.hpp>
#include <pgq/cli/command/workers/list.hpp>
#include <pgq/cli/command_tree.hpp>

#ifdef PGQ_CLI_PROMETHEUS
#include <pgq/cli/command/metrics.hpp>
#endif

namespace pgq::cli {

inline void add_job_commands(const command_tree::branch& root) {
    const auto jobs = root.group("jobs", "List jobs, and act on them");
    jobs.add<command::jobs::list>();
    jobs.add<command::jobs::show>();
    jobs.add<command::jobs::enqueue>();
    jobs.add<command::jobs::cancel>();
    jobs.add<command::jobs::requeue>();
    jobs.add<command::jobs::run_now>();
    jobs.add<command::jobs::move>();
    jobs.add<command::jobs::purge>();
    const auto failed = root.group("failed", "Look after held jobs");
    failed.add<command::failed::list>();
    failed.add<command::failed::show>();
    failed.add<command::failed::requeue>();
    failed.add<command::failed::drop>();
}

/// The sub-commands of `pgq` that need no library but those of pgq::cli.
inline void add_commands(command_tree& tree) {
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
    root.add<command::doctor>();
    root.add<command::health>();
    root.add<command::queues>();
    add_job_commands(root);
    root.add<command::workers::list>().add<command::workers::forget>();
    root.add<command::stats>();
    root.add<command::limits>().add<command::limits_set>();
    root.add<command::pause>();
    root.add<command::drain>();
    root.add<command::resume>();
    root.add<command::paused>();
    const auto schedules = root.group("schedules", "Look after schedules");
    schedules.add<command::schedules::list>();
    schedules.add<command::schedules::next>();
    schedules.add<command::schedules::fire>();
    schedules.add<command::schedules::pause>();
    schedules.add<command::schedules::resume>();
    schedules.add<command::schedules::remove>();
#ifdef PGQ_CLI_PROMETHEUS
    root.add<command::metrics>();
#endif
    root.add<command::compact>();
    root.add<command::completion>();
    root.add<command::man>();
}

}  // namespace pgq::cli
