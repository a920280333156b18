// Prints include/pgq/schema/catalog/generated.hpp: installs into a schema of its own on the server of PGQ_DSN, reads
// the catalog as pgq::admin::doctor reads it, and drops the schema.

#include <pgq/driver/libpq.hpp>
#include <pgq/schema/catalog/expected.hpp>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        if (c == '\n') out += "\\n";
        else out += c;
    }
    return out += '"';
}

std::string line_of(const pgq::catalog_object& o) {
    return std::string{"    {'"} + static_cast<char>(o.kind) + "', " + quoted(o.table) + ", " + quoted(o.name) + ", " +
           quoted(o.definition) + ", " + quoted(o.traits) + ", " + (o.fine ? "true" : "false") + "},\n";
}

void drop(const pgq::driver::connection_options& o) {
    const pgq::driver::pq::connection_ptr line{PQconnectdb(o.conninfo.c_str())};
    const auto sql = "SET client_min_messages = warning; DROP SCHEMA " + pgq::statement::quoted(o.schema) + " CASCADE";
    const pgq::driver::pq::result_ptr done{PQexec(line.get(), sql.c_str())};
}

std::vector<pgq::catalog_object> objects_of_a_new_installation() {
    const char* const dsn = std::getenv("PGQ_DSN");
    const pgq::driver::libpq driver{
        {.conninfo = dsn ? dsn : "", .schema = "pgq_catalog_" + std::to_string(::getpid())}};
    driver.install().value();
    auto found = driver.connect(pgq::session_role::client).value().examine_objects(std::chrono::minutes{1});
    drop(driver.options());
    return std::move(found.value());
}

}  // namespace

int main() try {
    const auto objects = objects_of_a_new_installation();
    std::string out =
        "#pragma once\n\n"
        "// Written by tools/scripts/generate_catalog.sh from a new installation: do not change it.\n\n"
        "#include <pgq/schema/catalog/expected.hpp>\n\n#include <array>\n#include <cstdint>\n\n"
        "namespace pgq::schema {\n\n"
        "/// checksum_of_migrations() of the migrations that made these objects.\n"
        "inline constexpr std::int64_t catalog_made_from = " +
        std::to_string(pgq::schema::checksum_of_migrations()) +
        ";\n\n/// What a new installation has.\ninline constexpr std::array<expected_object, " +
        std::to_string(objects.size()) + "> catalog{{\n";
    for (const auto& o : objects) out += line_of(o);
    out += "}};\n\n}  // namespace pgq::schema\n";
    return std::fputs(out.c_str(), stdout) < 0 ? 1 : 0;
} catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
}
