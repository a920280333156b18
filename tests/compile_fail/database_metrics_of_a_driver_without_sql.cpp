// expect: database_metrics cannot read numbers from this source
// within: 10 lines
#include <pgq/driver/memory.hpp>
#include <pgq/observer/database_metrics.hpp>

int main() { const pgq::observer::database_metrics metrics{pgq::driver::memory{}}; }
