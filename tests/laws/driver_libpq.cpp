#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/reusable_schema.hpp>

namespace laws_driver_libpq {

TEST_CASE("driver::libpq keeps the driver laws", "[driver][libpq][laws]") {
    using pgq::driver::libpq;
    pgq::laws::check_driver<libpq>([] { return libpq{test::reusable_schema::next()}; });
}

}  // namespace laws_driver_libpq
