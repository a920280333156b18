#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

namespace pgq {

/// Things of the application that handlers share (a database pool, an HTTP client), found by type. It does not own them;
/// what is reached from several handlers at once must itself stand that.
class resources {
public:
    template <class T>
    resources& add(T& thing) {
        entries_.emplace_back(std::type_index{typeid(T)}, &thing);
        return *this;
    }

    /// Null when nothing of that type was added.
    template <class T>
    T* find() const noexcept {
        const auto same = [](const auto& e) { return e.first == std::type_index{typeid(T)}; };
        const auto found = std::find_if(entries_.begin(), entries_.end(), same);
        return found == entries_.end() ? nullptr : static_cast<T*>(found->second);
    }

    template <class T>
    T& get() const {
        if (T* found = find<T>()) return *found;
        throw std::out_of_range{std::string{"no resource of this type was added to the worker: "} + typeid(T).name()};
    }

private:
    std::vector<std::pair<std::type_index, void*>> entries_;
};

}  // namespace pgq
