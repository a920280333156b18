#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/observer/prometheus.hpp>
#include <pgq/serializer/raw.hpp>

#include <algorithm>

bool run_prometheus() {
    using measured_queue = pgq::queue<consumer::greet, pgq::driver::memory, pgq::serializer::raw,
                                      pgq::executor::in_place, pgq::observer::prometheus>;
    measured_queue jobs;
    if (!consumer::run_job(jobs)) return false;
    const auto families = jobs.observer().Collect();
    return std::any_of(families.begin(), families.end(), [](const auto& f) {
        return f.name == "pgq_attempts_started_total" && f.metric.at(0).counter.value == 1;
    });
}
