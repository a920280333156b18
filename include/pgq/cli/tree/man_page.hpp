#pragma once

#include <pgq/cli/tree/help.hpp>
#include <pgq/cli/tree/node.hpp>

#include <pgq/version.hpp>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace pgq::cli {

/// Text for roff: a hyphen is one that can be copied, and nothing is a request.
inline std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '-' ? "\\-" : c == '\\' ? "\\e" : std::string(1, c);
    return (out.starts_with('.') || out.starts_with('\'') ? "\\&" : "") + out;
}

inline std::string man_options(const node& n) {
    std::string out;
    for (const auto& o : n.options)
        out += ".TP\n\\fB" + roff(o.names) + "\\fR" +
               (o.value.empty() || o.is_argument ? "" : " \\fI" + roff(o.value) + "\\fR") + '\n' + roff(o.what) + ".\n";
    return out;
}

inline std::string man_commands(const node& n) {
    std::string out;
    for (const auto& child : n.children) {
        if (child.runs_alone)
            out += ".SS \"" + roff(usage_of(child)) + "\"\n" + roff(child.what) + ".\n" + man_options(child);
        out += man_commands(child);
    }
    return out;
}

inline std::string man_title(std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return roff(name);
}

/// The page of section 1, in roff.
inline std::string man_page(const node& root) {
    const std::string name = roff(root.name);
    const bool runs_jobs =
        std::any_of(root.children.begin(), root.children.end(), [](const node& n) { return n.name == "run"; });
    return ".TH " + man_title(root.name) +
           " 1 \"\" \"pgq " PGQ_VERSION
           "\" \"User Commands\"\n"
           ".SH NAME\n" +
           name + " \\- " + roff(root.what) + "\n.SH SYNOPSIS\n.B " + name +
           "\n[OPTIONS] COMMAND [OPTIONS]\n"
           ".SH OPTIONS\nThey stand before or behind the command.\n" +
           man_options(root) + ".SH COMMANDS\n" + man_commands(root) +
           ".SH EXIT STATUS\n"
           ".TP\n.B 0\ndone\n.TP\n.B 1\na check failed, or what the line names does not exist\n"
           ".TP\n.B 2\nwrong use\n.TP\n.B 3\nthe database cannot be reached, or refuses\n"
           ".TP\n.B 4\nthe schema is missing, older, newer or another one\n.TP\n.B 5\nnot confirmed\n" +
           (runs_jobs ? ".TP\n.B 78\nrun: a person must correct the setup\n" : "") +
           ".SH ENVIRONMENT\n"
           "PGHOST, PGPORT, PGDATABASE, PGUSER, PGSERVICE, PGPASSFILE and the other variables of libpq; NO_COLOR.\n"
           ".SH EXAMPLES\n.nf\n" +
           name + " install\n" + name + " queues \\-\\-watch 2\n" + name +
           " pause mail \\-\\-reason \"the mail server moves\"\n.fi\n";
}

}  // namespace pgq::cli
