#include <support/report.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <stdexcept>

namespace bench {

namespace {

std::string rounded(double v) {
    char text[32];
    std::snprintf(text, sizeof text, v >= 1000 ? "%.0f" : v >= 10 ? "%.1f" : v >= 0.1 ? "%.2f" : "%.3f", v);
    return text;
}
std::string rounded(const std::optional<double>& v) { return v ? rounded(*v) : "-"; }
std::string spread(const samples& s) {
    if (s.size() < 2 || s.median() == 0) return "";
    char text[32];
    std::snprintf(text, sizeof text, "%+.0f%+.0f%%", (s.min() / s.median() - 1) * 100,
                  (s.max() / s.median() - 1) * 100);
    return text;
}

}  // namespace

report::report(const std::string& json_file) {
    if (json_file.empty()) return;
    json_ = std::fopen(json_file.c_str(), "a");
    if (json_ == nullptr) throw std::runtime_error{"cannot write " + json_file};
}
report::~report() {
    if (json_ != nullptr) std::fclose(json_);
}

void report::head() {
    headed_ = true;
    std::printf("\n%-34s %11s %9s %11s %6s  %7s %7s %6s %5s %7s %7s  %7s %7s %7s %5s\n", "question, case", "median",
                "spread", "ceiling", "ratio", "srv us", "cli us", "WAL B", "recs", "stmts", "commits", "p50 ms",
                "p99 ms", "p99.9", "MB");
}

void report::add(const row& r) {
    if (!headed_) head();
    const auto ratio = r.ratio();
    const std::string name = r.question + ", " + r.what + (r.unit == "jobs/s" ? "" : " [" + r.unit + "]");
    std::printf("%-34s %11s %9s %11s %6s  %7s %7s %6s %5s %7s %7s", name.c_str(),
                r.ours.empty() ? "-" : rounded(r.ours.median()).c_str(), spread(r.ours).c_str(),
                r.ceiling.empty() ? "-" : rounded(r.ceiling.median()).c_str(), rounded(ratio).c_str(),
                rounded(r.price.server_us).c_str(), rounded(r.price.client_us).c_str(),
                rounded(r.price.wal_bytes).c_str(), rounded(r.price.wal_records).c_str(),
                rounded(r.price.statements).c_str(), rounded(r.price.commits).c_str());
    if (r.latency_ms.empty()) std::printf("  %7s %7s %7s", "-", "-", "-");
    else
        std::printf("  %7s %7s %7s", rounded(r.latency_ms.median()).c_str(), rounded(r.latency_ms.at(0.99)).c_str(),
                    rounded(r.latency_ms.at(0.999)).c_str());
    std::printf(" %5.0f%s%s\n", r.peak_mb, r.note.empty() ? "" : "  ", r.note.c_str());
    if (r.bar && ratio && *ratio < *r.bar) {
        const bool half = *ratio < *r.bar / 2;
        failures_ += half;
        std::printf("    %s: the ratio should be %s\n", half ? "FAILED" : "below the goal", rounded(*r.bar).c_str());
    }
    std::fflush(stdout);
    if (json_ != nullptr) write_json(r);
}

void report::write_json(const row& r) {
    boost::json::object o;
    o["question"] = r.question;
    o["case"] = r.what;
    o["unit"] = r.unit;
    o["n"] = r.n;
    if (!r.ours.empty()) {
        o["median"] = r.ours.median();
        o["min"] = r.ours.min();
        o["max"] = r.ours.max();
    }
    if (!r.ceiling.empty()) {
        o["ceiling"] = r.ceiling.median();
        o["ceiling_name"] = r.ceiling_name;
        o["ratio"] = *r.ratio();
    }
    const auto put = [&](const char* key, const std::optional<double>& v) {
        if (v) o[key] = *v;
    };
    put("bar", r.bar);
    put("server_us", r.price.server_us);
    put("client_us", r.price.client_us);
    put("wal_bytes", r.price.wal_bytes);
    put("wal_records", r.price.wal_records);
    put("statements", r.price.statements);
    put("commits", r.price.commits);
    if (!r.latency_ms.empty()) {
        o["p50_ms"] = r.latency_ms.median();
        o["p99_ms"] = r.latency_ms.at(0.99);
        o["p999_ms"] = r.latency_ms.at(0.999);
    }
    o["peak_mb"] = r.peak_mb;
    if (!r.note.empty()) o["note"] = r.note;
    std::fprintf(json_, "%s\n", boost::json::serialize(o).c_str());
    std::fflush(json_);
}

}  // namespace bench
