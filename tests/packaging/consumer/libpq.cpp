#include "job.hpp"

#include <pgq/driver/libpq.hpp>
#include <pgq/serializer/raw.hpp>

#include <cstdio>

bool run_libpq() {
    if (consumer::dsn() == nullptr) {
        std::puts("left out: the job of pgq::libpq, because PGQ_DSN is not set");
        return true;
    }
    pgq::queue<consumer::greet, pgq::driver::libpq, pgq::serializer::raw, pgq::executor::in_place> jobs{
        pgq::driver::libpq{{.conninfo = consumer::dsn(), .schema = consumer::schema()}}};
    jobs.install().value();
    return consumer::run_job(jobs);
}
