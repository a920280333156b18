#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/serializer/json.hpp>

bool run_json() {
    pgq::queue<consumer::greet, pgq::driver::memory, pgq::serializer::json, pgq::executor::in_place> jobs;
    return consumer::run_job(jobs);
}
