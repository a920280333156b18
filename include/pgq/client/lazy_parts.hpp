#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <memory>
#include <mutex>
#include <vector>

namespace pgq::detail {

/// Parts of a queue object whose types its own header does not know, one of each type, made when they are first used.
/// Called from any thread.
class lazy_parts {
public:
    /// `make()` gives the part as a std::shared_ptr, if there is none yet.
    template <class Part, class Make>
    Part& get(Make make) {
        const std::lock_guard lock{mutex_};
        for (const auto& p : parts_)
            if (p.type == &type_of<Part>) return *static_cast<Part*>(p.object.get());
        const std::shared_ptr<Part> made = make();
        parts_.push_back({&type_of<Part>, made});
        return *made;
    }

private:
    template <class Part>
    static inline char type_of{};

    struct part {
        const void* type;
        std::shared_ptr<void> object;
    };

    std::mutex mutex_;
    std::vector<part> parts_;
};

}  // namespace pgq::detail
