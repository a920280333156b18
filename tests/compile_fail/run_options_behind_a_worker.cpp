// expect: pgq: run_options stand behind something that runs\. Write them first
// precompiled: nothing

#include <pgq/run.hpp>

#include <stop_token>

struct job {
    pgq::result<void> run(std::stop_token) { return {}; }
};

int main() {
    job j;
    return pgq::run(j, pgq::run_options{.health_port = 8080});
}
