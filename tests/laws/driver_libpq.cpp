#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/fresh_schema.hpp>

namespace laws_driver_libpq {

TEST_CASE("driver::libpq keeps the driver laws", "[driver][libpq][laws]") {
    using pgq::driver::libpq;
    pgq::laws::check_driver<libpq>([] {
        libpq driver{pgq::driver::connection_options{.conninfo = test::dsn(), .schema = test::fresh_schemas::next()}};
        driver.install().value();
        return driver;
    });
}

}  // namespace laws_driver_libpq
