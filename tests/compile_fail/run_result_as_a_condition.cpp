// expect: pgq: the result of run is an exit code: 0 is success, and would be false
// precompiled: nothing

#include <pgq/run.hpp>

#include <stop_token>

struct job {
    pgq::result<void> run(std::stop_token) { return {}; }
};

int main() {
    job j;
    if (pgq::run(j)) return 1;
}
