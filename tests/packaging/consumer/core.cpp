#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/serializer/raw.hpp>

bool run_core() {
    pgq::queue<consumer::greet, pgq::driver::memory, pgq::serializer::raw, pgq::executor::in_place> jobs;
    return consumer::run_job(jobs);
}
