#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/serializer/msgpack.hpp>

bool run_nlohmann() {
    pgq::queue<consumer::greet, pgq::driver::memory, pgq::serializer::msgpack, pgq::executor::in_place> jobs;
    return consumer::run_job(jobs);
}
