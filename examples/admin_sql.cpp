// run: tables
// Prints the scripts for psql: `admin_sql tables` and `admin_sql roles`.

#include <pgq/install.hpp>

#include <cstdio>
#include <string_view>

int main(int argc, char** argv) {
    const bool roles = argc > 1 && std::string_view{argv[1]} == "roles";
    const auto script = roles ? pgq::roles_sql({.schema = "pgq_jobs"}) : pgq::install_sql({.schema = "pgq_jobs"});
    if (!script) {
        std::fprintf(stderr, "%s\n", script.error().text().c_str());
        return 1;
    }
    std::fputs(script->c_str(), stdout);
}
