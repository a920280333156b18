// expect: pgq: run got an argument that it cannot run\. Give it workers
// precompiled: nothing

#include <pgq/run.hpp>

#include <stop_token>

struct job {
    void run(std::stop_token) {}  // it has no result
};

int main() {
    job j;
    return pgq::run(j);
}
