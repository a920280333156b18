// run:
// Payloads as JSON: the layout, the options, and a codec for a type of the program.

#include <pgq/job/members.hpp>
#include <pgq/serializer/json.hpp>

#include <cstdio>
#include <string>
#include <string_view>

struct resize {
    static constexpr std::string_view entrypoint = "resize";
    std::string path{};
    int edge = 256;
};
BOOST_HANA_ADAPT_STRUCT(resize, path, edge);  // {"path":"cat.jpg","edge":256}

using strict = pgq::serializer::basic_json<pgq::serializer::json_options{.missing = pgq::serializer::if_missing::fail,
                                                                         .unknown = pgq::serializer::if_unknown::fail}>;

namespace app {

enum class color { red, green };

inline const char* name_of(color c) { return c == color::red ? "red" : "green"; }
inline bool color_of(std::string_view name, color& c) {
    c = name == "red" ? color::red : color::green;
    return name == name_of(c);
}

struct paint {
    static constexpr std::string_view entrypoint = "paint";
    color with = color::red;
};

}  // namespace app

template <>
struct pgq::codec<app::color> {
    static void write(app::color c, pgq::serializer::json_writer& out) { out.string(name_of(c)); }
    static bool read(pgq::serializer::json_value in, app::color& c) {
        if (!in.is_string()) return in.expected("a string");
        return color_of(in.text(), c) || in.fail("expected the name of a color");
    }
};
BOOST_HANA_ADAPT_STRUCT(app::paint, with);

int main() {
    std::string cat, green;
    pgq::serializer::json{}.write(resize{.path = "cat.jpg"}, cat).value();
    pgq::serializer::json{}.write(app::paint{.with = app::color::green}, green).value();
    std::printf("%s\n%s\n", cat.c_str(), green.c_str());

    app::paint read;
    const auto blue = pgq::serializer::json{}.read(R"({"with":"blue"})", read);
    const auto part = strict{}.read(R"({"with":"red","how":"thickly"})", read);
    std::printf("%s\n%s\n", blue.error().text().c_str(), part.error().text().c_str());
    return cat == R"({"path":"cat.jpg","edge":256})" && green == R"({"with":"green"})" && !blue && !part ? 0 : 1;
}
