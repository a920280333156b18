#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/hostile.hpp>
#include <support/reusable_schema.hpp>

namespace laws_driver_libpq_hostile {

namespace {

class hostile_schema {
public:
    pgq::driver::connection_options next() { return schema_.emptied(); }

private:
    test::hostile_database db_{};
    test::reusable_schema schema_{db_.sane_conninfo(), [this](pgq::driver::connection_options& o) {
                                      o.conninfo = test::database::settings_of(db_.conninfo(), "application_name",
                                                                               test::reusable_schema::application());
                                  }};
};

}  // namespace

TEST_CASE("driver::libpq keeps the driver laws whatever the defaults of the role and of the database are",
          "[driver][libpq][hostile][laws]") {
    static hostile_schema schema;
    pgq::laws::check_driver<pgq::driver::libpq>([] { return pgq::driver::libpq{schema.next()}; });
}

}  // namespace laws_driver_libpq_hostile
