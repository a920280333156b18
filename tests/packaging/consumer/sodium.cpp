#include "job.hpp"

#include <pgq/driver/memory.hpp>
#include <pgq/serializer/encrypted.hpp>
#include <pgq/serializer/raw.hpp>

namespace {
pgq::serializer::key_ring keys;
}

bool run_sodium() {
    using encrypted_raw = pgq::serializer::encrypted<pgq::serializer::raw, pgq::serializer::keys_of<keys>>;
    keys.use(pgq::serializer::secret_key::random("1"));
    pgq::queue<consumer::greet, pgq::driver::memory, encrypted_raw, pgq::executor::in_place> jobs;
    return consumer::run_job(jobs);
}
