#pragma once

#include <pgq/detail/utf8.hpp>
#include <pgq/error/errc.hpp>
#include <pgq/error/result.hpp>
#include <pgq/job/traits.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgq {

/// The names of the queues that one worker serves, all of one queue type: see worker_options::queues.
class queue_names {
public:
    /// These names. Nobody needs to have enqueued anything there.
    static queue_names of(std::vector<std::string> names) {
        queue_names made;
        made.by_name_ = true;
        made.names_ = std::move(names);
        std::sort(made.names_.begin(), made.names_.end());
        made.names_.erase(std::unique(made.names_.begin(), made.names_.end()), made.names_.end());
        return made;
    }
    /// Every name that starts with this text, also names that come later.
    static queue_names with_prefix(std::string prefix) {
        queue_names made;
        made.prefix_ = std::move(prefix);
        return made;
    }
    /// Every name.
    static queue_names all() { return {}; }

    /// Sorted; empty unless `of` has made this.
    std::span<const std::string> names() const noexcept { return names_; }
    std::string_view prefix() const noexcept { return prefix_; }

    result<void> check() const {
        if (by_name_ && names_.empty())
            return error_info{errc::invalid_option, "queue_names::of has no name", "all() means every name"};
        for (const auto& name : names_)
            if (name.empty() || name.size() > max_name_bytes || !detail::is_storable_text(name))
                return error_info{errc::invalid_name, "a queue's name is UTF-8 text of 1 to 255 bytes"};
        if (prefix_.size() > max_name_bytes || !detail::is_storable_text(prefix_))
            return error_info{errc::invalid_name, "a prefix of queue names is UTF-8 text of at most 255 bytes"};
        return {};
    }

private:
    queue_names() = default;

    bool by_name_ = false;
    std::vector<std::string> names_{};
    std::string prefix_{};
};

}  // namespace pgq
