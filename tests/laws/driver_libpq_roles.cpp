#include <pgq/driver/libpq.hpp>
#include <pgq/testing/laws/driver.hpp>

#include <support/catch.hpp>
#include <support/reusable_schema.hpp>
#include <support/roles.hpp>

#include <optional>

namespace laws_driver_libpq_roles {

namespace {

/// The schema of all laws. Its sessions have the rights of a worker and of an operator, and are not the owner's.
class schema_with_roles {
public:
    pgq::driver::connection_options next() { return schema_.emptied(); }

private:
    void add_roles(pgq::driver::connection_options& o) {
        const auto& names = roles_.emplace(o.schema).names();
        const test::sql_connection line{test::dsn(), o.schema};
        (void)line.exec("GRANT \"" + names.operators + "\" TO \"" + names.worker + "\"");
        o.conninfo = test::roles::conninfo_as(names.worker, o.conninfo);
    }

    std::optional<test::roles> roles_{};
    test::reusable_schema schema_{test::dsn(), [this](pgq::driver::connection_options& o) { add_roles(o); }};
};

}  // namespace

TEST_CASE("a role that is a worker and an operator, and not the owner, keeps the driver laws",
          "[driver][libpq][rights][laws]") {
    static schema_with_roles schema;
    pgq::laws::check_driver<pgq::driver::libpq>([] { return pgq::driver::libpq{schema.next()}; });
}

}  // namespace laws_driver_libpq_roles
