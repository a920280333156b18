#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/serializer/compressed.hpp>
#include <pgq/serializer/raw.hpp>

bool run_zstd() {
    using compressed_raw = pgq::serializer::compressed<pgq::serializer::raw>;
    pgq::queue<consumer::greet, pgq::driver::memory, compressed_raw, pgq::executor::in_place> jobs;
    return consumer::run_job(jobs);
}
