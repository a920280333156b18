#include "job.hpp"

#include <pgq/cli.hpp>
#include <pgq/driver/libpq.hpp>
#include <pgq/serializer/raw.hpp>

#include <cstdio>
#include <initializer_list>
#include <string>
#include <vector>

namespace {

std::string seen;

int run(std::initializer_list<const char*> line) {
    std::vector<char*> words;
    for (const char* const word : line) words.push_back(const_cast<char*>(word));
    using app_queue = pgq::queue<consumer::greet, pgq::driver::libpq, pgq::serializer::raw, pgq::executor::in_place>;
    return pgq::main(static_cast<int>(words.size()), words.data(),
                     pgq::app<app_queue>{
                         .name = "greeter",
                         .database = {.conninfo = consumer::dsn() == nullptr ? "" : consumer::dsn(),
                                      .schema = consumer::schema() + "_cli"},
                     },
                     [](const consumer::greet& g) { seen += g.name; });
}

}  // namespace

bool run_cli() {
    if (run({"greeter", "--version"}) != 0 || run({"greeter", "enqueue", "greet", "{}"}) != 2) return false;
    if (consumer::dsn() == nullptr) {
        std::puts("left out: the job of pgq::cli, because PGQ_DSN is not set");
        return true;
    }
    return run({"greeter", "install"}) == 0 && run({"greeter", "enqueue", "greet", R"({"name":"Ada"})"}) == 0 &&
           run({"greeter", "run", "--until", "empty"}) == 0 && seen == "Ada";
}
