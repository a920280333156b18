// expect: pgq: this driver has no server for doctor\(\) to examine\. Use a driver of PostgreSQL\.
#include <pgq/admin.hpp>
#include <pgq/driver/memory.hpp>

int main() {
    pgq::admin ops{pgq::driver::memory{}};
    (void)ops.doctor();
}
