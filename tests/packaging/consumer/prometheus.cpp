#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/observer/prometheus.hpp>
#include <pgq/serializer/raw.hpp>

#include <prometheus/text_serializer.h>

#include <string>

bool run_prometheus() {
    using measured_queue = pgq::queue<consumer::greet, pgq::driver::memory, pgq::serializer::raw,
                                      pgq::executor::in_place, pgq::observer::prometheus>;
    measured_queue jobs;
    if (!consumer::run_job(jobs)) return false;
    const std::string text = prometheus::TextSerializer{}.Serialize(jobs.observer().Collect());
    return text.find("pgq_attempts_started_total{queue=\"default\",entrypoint=\"greet\"} 1") != std::string::npos;
}
