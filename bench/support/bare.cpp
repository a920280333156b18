#include <support/bare.hpp>

#include <array>
#include <cstdlib>
#include <stdexcept>

namespace bench {

using pgq::driver::pq::result_ptr;

bare::bare(const std::string& dsn) {
    const char* const keys[] = {"dbname", "fallback_application_name", nullptr};
    const char* const values[] = {dsn.c_str(), "pgq_bench", nullptr};
    connection_.reset(PQconnectdbParams(keys, values, 1));
    if (PQstatus(get()) != CONNECTION_OK) fail("connect");
}

void bare::fail(const char* what) const { throw std::runtime_error{std::string{what} + ": " + PQerrorMessage(get())}; }

void bare::run(const std::string& sql) {
    const result_ptr r{PQexec(get(), sql.c_str())};
    const auto status = PQresultStatus(r.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail(sql.c_str());
}

double bare::number(const std::string& sql) {
    const result_ptr r{PQexec(get(), sql.c_str())};
    if (PQresultStatus(r.get()) != PGRES_TUPLES_OK || PQntuples(r.get()) == 0) fail(sql.c_str());
    return std::strtod(PQgetvalue(r.get(), 0, 0), nullptr);
}

void bare::enter_pipeline() {
    if (PQenterPipelineMode(get()) != 1) fail("pipeline");
}

void bare::prepare(const pgq::statement::query& q, const pgq::statement::params& p, const std::string& schema) {
    const auto text = pgq::statement::render(q.text, schema);
    const result_ptr r{PQprepare(get(), q.name, text.c_str(), static_cast<int>(p.size()), p.types())};
    if (PQresultStatus(r.get()) != PGRES_COMMAND_OK) fail(q.name);
}

void bare::send(const pgq::statement::query& q, const pgq::statement::params& p) {
    std::array<const char*, pgq::statement::params::max_count> values{};
    std::array<int, pgq::statement::params::max_count> lengths{}, formats{};
    for (std::size_t i = 0; i < p.size(); ++i) values[i] = p.value(i), lengths[i] = p.length(i), formats[i] = 1;
    if (PQsendQueryPrepared(get(), q.name, static_cast<int>(p.size()), values.data(), lengths.data(), formats.data(),
                            1) != 1)
        fail(q.name);
}

void bare::sync() {
    if (PQpipelineSync(get()) != 1) fail("sync");
}

result_ptr bare::answer() {
    result_ptr r{PQgetResult(get())};
    const auto status = PQresultStatus(r.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail("answer");
    const result_ptr none{PQgetResult(get())};
    return r;
}

void bare::synced() {
    const result_ptr r{PQgetResult(get())};
    if (PQresultStatus(r.get()) != PGRES_PIPELINE_SYNC) fail("sync");
}

void bare::copy(const std::string& sql, std::string_view data) {
    const result_ptr begun{PQexec(get(), sql.c_str())};
    if (PQresultStatus(begun.get()) != PGRES_COPY_IN) fail("copy");
    if (PQputCopyData(get(), data.data(), static_cast<int>(data.size())) != 1 || PQputCopyEnd(get(), nullptr) != 1)
        fail("copy");
    const result_ptr ended{PQgetResult(get())};
    if (PQresultStatus(ended.get()) != PGRES_COMMAND_OK) fail("copy");
    const result_ptr none{PQgetResult(get())};
}

}  // namespace bench
