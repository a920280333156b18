#include <pgq/job/member_listing.hpp>

#include <support/catch.hpp>

#include <any>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

namespace unit_job_member_listing {

namespace listed {

template <class T>
struct whole {
    int first = 0;
    T middle{};
    int last = 0;
};
struct inner {
    int x = 0;
    int y = 0;
};
struct without_y {
    int x = 0;
    int y = 0;
};
struct base {
    int a = 0, b = 0;
};
struct tag {};
struct derived : base, tag {
    int c = 0;
};
struct derived_short : base, tag {
    int c = 0;
};
struct arrays {
    int grid[2][3]{};
    int n = 0;
};
struct arrays_short {
    int grid[2][3]{};
    int n = 0;
};
struct twice {
    int a = 0, b = 0;
};
struct on_purpose {
    static constexpr bool partly_adapted = true;
    int a = 0, b = 0;
};
class with_constructor {
public:
    with_constructor() = default;
    int a = 0, b = 0;
};
struct holds {
    std::vector<std::optional<without_y>> all{};
};
struct node {
    int x = 0;
    std::vector<node> children{};
};

}  // namespace listed

}  // namespace unit_job_member_listing

#define UNIT_WHOLE(...) \
    BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::whole<__VA_ARGS__>, first, middle, last)
UNIT_WHOLE(bool);
UNIT_WHOLE(double);
UNIT_WHOLE(std::string);
UNIT_WHOLE(std::vector<int>);
UNIT_WHOLE(std::optional<std::string>);
using number_or_text = std::variant<int, std::string>;
UNIT_WHOLE(number_or_text);
using numbers = std::map<std::string, int>;
UNIT_WHOLE(numbers);
UNIT_WHOLE(std::chrono::seconds);
UNIT_WHOLE(std::chrono::system_clock::time_point);
UNIT_WHOLE(std::unique_ptr<int>);
UNIT_WHOLE(std::atomic<int>);
UNIT_WHOLE(std::any);
UNIT_WHOLE(std::function<void()>);
UNIT_WHOLE(pgq::sensitive<std::string>);
UNIT_WHOLE(unit_job_member_listing::listed::inner);
#undef UNIT_WHOLE
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::inner, x, y);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::without_y, x);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::derived, a, b, c);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::derived_short, a, b);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::arrays, grid, n);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::arrays_short, grid);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::twice, a, b, a);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::on_purpose, a);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::with_constructor, a);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::holds, all);
BOOST_HANA_ADAPT_STRUCT(unit_job_member_listing::listed::node, x, children);

namespace unit_job_member_listing {

using namespace listed;
using pgq::detail::listing_error;

template <class T>
constexpr listing_error mistake = pgq::detail::listing_mistake_t<T>::what;
template <class T>
constexpr bool complete = mistake<T> == listing_error::none;

TEST_CASE("a struct whose members are all listed has no mistake, whatever their types are", "[job][members]") {
    STATIC_REQUIRE(complete<whole<bool>>);
    STATIC_REQUIRE(complete<whole<double>>);
    STATIC_REQUIRE(complete<whole<std::string>>);
    STATIC_REQUIRE(complete<whole<std::vector<int>>>);
    STATIC_REQUIRE(complete<whole<std::optional<std::string>>>);
    STATIC_REQUIRE(complete<whole<number_or_text>>);
    STATIC_REQUIRE(complete<whole<numbers>>);
    STATIC_REQUIRE(complete<whole<std::chrono::seconds>>);
    STATIC_REQUIRE(complete<whole<std::chrono::system_clock::time_point>>);
    STATIC_REQUIRE(complete<whole<std::unique_ptr<int>>>);
    STATIC_REQUIRE(complete<whole<std::atomic<int>>>);
    STATIC_REQUIRE(complete<whole<std::any>>);
    STATIC_REQUIRE(complete<whole<std::function<void()>>>);
    STATIC_REQUIRE(complete<whole<pgq::sensitive<std::string>>>);
    STATIC_REQUIRE(complete<whole<inner>>);
    STATIC_REQUIRE(complete<node>);
}

TEST_CASE("members of a base and elements of an array count as they are listed", "[job][members]") {
    STATIC_REQUIRE(complete<derived>);
    STATIC_REQUIRE(complete<arrays>);
    STATIC_REQUIRE(mistake<derived_short> == listing_error::none);  // the compiler cannot go behind an empty base
    STATIC_REQUIRE(mistake<arrays_short> == listing_error::left_out);
}

TEST_CASE("a member that is left out or listed twice is a mistake, also inside of another type", "[job][members]") {
    STATIC_REQUIRE(mistake<without_y> == listing_error::left_out);
    STATIC_REQUIRE(mistake<twice> == listing_error::twice);
    STATIC_REQUIRE(mistake<holds> == listing_error::left_out);
    STATIC_REQUIRE(std::is_same_v<pgq::detail::listing_mistake_t<holds>::type, without_y>);
}

TEST_CASE("a struct that says so, and a class with a constructor, may list some members only", "[job][members]") {
    STATIC_REQUIRE(complete<on_purpose>);
    STATIC_REQUIRE(complete<with_constructor>);
}

}  // namespace unit_job_member_listing
