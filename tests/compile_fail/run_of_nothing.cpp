// expect: pgq: run got nothing to run\. Give it a worker
// precompiled: nothing

#include <pgq/run.hpp>

int main() { return pgq::run(); }
