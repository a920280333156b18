#include <pgq/job/filter.hpp>
#include <pgq/statement/filter.hpp>
#include <pgq/statement/wire.hpp>

#include <support/catch.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unit_statement_filter {

using namespace pgq;

TEST_CASE("names and values of a filter are parameters, never part of its SQL", "[statement][filter]") {
    const auto nasty = [](std::string_view text) { return header_of("name " + std::string{text}) == text; };
    const filter f = nasty("'; DROP TABLE x; --") || nasty("$1") || nasty("{s}") || !header_of("a").like("\\'%") ||
                     header_of("b") < 12345 || id_in({job_id{67890}});
    const statement::filter_condition condition{f, 3};
    for (const char* never : {"DROP", "name", "{s}", "\\'%", "12345", "67890", "'a'"})
        CHECK(condition.text().find(never) == std::string::npos);

    statement::params p;
    condition.bind(p);
    REQUIRE(p.size() == 2);
    CHECK(p.types()[0] == statement::wire::text_array);
    CHECK(p.types()[1] == statement::wire::int8_array);
    statement::wire::array_reader texts{{p.value(0), static_cast<std::size_t>(p.length(0))}};
    std::vector<std::string> bound;
    for (std::size_t i = 0, n = texts.size(); i < n; ++i) bound.emplace_back(texts.next());
    CHECK(bound == std::vector<std::string>{"name '; DROP TABLE x; --", "'; DROP TABLE x; --", "name $1", "$1",
                                            "name {s}", "{s}", "a", "\\'%", "b", "12345"});
}

TEST_CASE("a long chain of conditions makes a wide filter, not a deep one", "[job][filter]") {
    filter chain = header_of("x") == 0;
    for (int i = 1; i < 2000; ++i) chain = chain || header_of("x") == i;
    CHECK(chain.check().has_value());
    CHECK(chain.root()->parts.size() == 2000);
}

TEST_CASE("a filter that matches all jobs does not change an and, and makes an or match all", "[job][filter]") {
    const filter one = header_of("x").exists();
    CHECK((filter{} && one).root() == one.root());
    CHECK((one && filter{}).root() == one.root());
    CHECK((one || filter{}).is_everything());
    CHECK_FALSE((!filter{}).is_everything());
}

}  // namespace unit_statement_filter
