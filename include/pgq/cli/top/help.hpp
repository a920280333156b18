#pragma once

#include <pgq/cli/top/canvas.hpp>
#include <pgq/cli/top/model.hpp>

#include <pgq/time/duration_words.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::cli::top {

/// The keys of a view in one line.
inline std::string keys_text(view v) {
    switch (v) {
    case view::entrypoints: return "? help  Enter jobs  s sort  / filter  p pause  r requeue  c cancel  q quit";
    case view::schedules: return "? help  s sort  / filter  p pause  q quit";
    case view::workers: return "? help  s sort  / filter  q quit";
    case view::failures: return "? help  Enter job  s sort  / filter  r requeue  c cancel  q quit";
    case view::jobs: return "? help  Enter job  n/b page  / filter  p r c act  Esc back  q quit";
    case view::job: return "? help  v payload  r requeue  c cancel  Esc back  q quit";
    }
    return {};
}

inline void draw_help(const model& m, std::vector<line>& out) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> keys{
        {{"1 2 3 4, Tab", "entrypoints, workers, schedules, failures"},
         {"arrows, j k, PgUp PgDn", "choose a row"},
         {"Enter", "open the jobs of the entrypoint; open the job"},
         {"Esc", "back; ends a long action"},
         {"n b", "the next page of jobs, the one before"},
         {"v", "show the payload of the job, if it is JSON text"},
         {"s S", "sort by the next column; the other way round"},
         {"/", "show rows with this text only"},
         {"p", "pause or resume the entrypoint or schedule"},
         {"r", "requeue the job, or all held ones"},
         {"c", "cancel the job, or all of the entrypoint"},
         {"space", "stop updating, go on"},
         {"+ -", "a longer or shorter interval"},
         {"q", "quit"},
         {"", ""},
         {"!!no worker", "jobs are ready, and no worker serves them"},
         {"!failing", "jobs have failed for good just now"}}};
    out.push_back({{"keys", look::heading}});
    for (const auto& [name, what] : keys)
        out.push_back({{"  " + m.with.glyphs.fit(name, 24), look::heading}, {std::string{what}}});
    const std::string note = "  Rates and times are of the last " + pgq::detail::duration_in_words(m.with.last) + ".";
    out.push_back({{note, look::faint}});
}

}  // namespace pgq::cli::top
