#pragma once

#include <prometheus/client_metric.h>
#include <prometheus/metric_family.h>
#include <prometheus/metric_type.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq::observer::detail {

struct metric_label {
    const char* name;
    std::string_view value;
};
using metric_labels = std::initializer_list<metric_label>;

/// Collects samples for one answer to a scrape. A family without samples is left out.
class metric_families {
public:
    using family = ::prometheus::MetricFamily;
    using metric = ::prometheus::ClientMetric;

    /// The family that the following samples belong to.
    metric_families& counter(const char* name, const char* help) {
        return begin(name, help, ::prometheus::MetricType::Counter);
    }
    metric_families& gauge(const char* name, const char* help) {
        return begin(name, help, ::prometheus::MetricType::Gauge);
    }
    metric_families& histogram(const char* name, const char* help) {
        return begin(name, help, ::prometheus::MetricType::Histogram);
    }
    metric_families& add(double value, metric_labels labels = {}) {
        metric& m = next(labels);
        (all_.back().type == ::prometheus::MetricType::Counter ? m.counter.value : m.gauge.value) = value;
        return *this;
    }
    metric_families& add(metric::Histogram&& value, metric_labels labels = {}) {
        next(labels).histogram = std::move(value);
        return *this;
    }
    std::vector<family> take() {
        drop_empty();
        return std::move(all_);
    }

private:
    metric_families& begin(const char* name, const char* help, ::prometheus::MetricType type) {
        drop_empty();
        family f;
        f.name = name;
        f.help = help;
        f.type = type;
        all_.push_back(std::move(f));
        return *this;
    }
    void drop_empty() {
        if (!all_.empty() && all_.back().metric.empty()) all_.pop_back();
    }
    metric& next(metric_labels labels) {
        metric& m = all_.back().metric.emplace_back();
        m.label.reserve(labels.size());
        for (const auto& l : labels) m.label.push_back({l.name, std::string{l.value}});
        return m;
    }

    std::vector<family> all_;
};

}  // namespace pgq::observer::detail
