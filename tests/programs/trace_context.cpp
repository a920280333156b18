// Reads and writes trace context, for comparison with other implementations. Each line of the input has the bytes of a
// `traceparent` and of a `tracestate` in hexadecimal digits, with a blank between them. The line of the answer has the
// headers of a job that is enqueued in that context, in the same form, or "-" if there is no context.
//
//   trace_context          answers
//   trace_context make N   writes N lines with headers of random contexts
#include <pgq/trace/context.hpp>
#include <pgq/trace/headers.hpp>
#include <pgq/trace/random_id.hpp>

#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

namespace {

std::string from_hex(std::string_view digits) {
    std::string text;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        text += static_cast<char>(std::stoi(std::string{digits.substr(i, 2)}, nullptr, 16));
    return text;
}
std::string to_hex(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        out += {digits[byte / 16], digits[byte % 16]};
    }
    return out;
}
void write(const pgq::trace::context& c) {
    const pgq::trace::headers made{c};
    const auto all = made.all();
    std::cout << to_hex(all[0].value) << ' ' << (all.size() > 1 ? to_hex(all[1].value) : "") << '\n';
}

void make(int count) {
    for (int i = 0; i < count; ++i) {
        std::string state;
        for (int k = 0; k < i % 40; ++k)
            state += (k == 0 ? "k" : ",k") + std::to_string(k) + "@s=" + std::string(1 + std::size_t(i % 150), 'v');
        write({.trace = pgq::trace::random_id<pgq::trace::trace_id>(),
               .span = pgq::trace::random_id<pgq::trace::span_id>(),
               .sampled = i % 2 == 0,
               .state = pgq::trace::is_valid_state(state) ? std::string_view{state} : std::string_view{}});
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3) return make(std::atoi(argv[2])), 0;
    for (std::string line; std::getline(std::cin, line);) {
        const auto blank = line.find(' ');
        const std::string parent = from_hex(line.substr(0, blank)), state = from_hex(line.substr(blank + 1));
        if (const auto c = pgq::trace::parse(parent, state)) write(*c);
        else std::cout << "-\n";
    }
}
