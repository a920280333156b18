#pragma once

#include <pgq/detail/require_cxx20.hpp>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

namespace pgq {

/// Objects of the application that handlers share, e.g. a database pool or an HTTP client. A handler finds them by
/// type.
///
/// It does not own the objects: they must outlive the worker. Several handlers use them at once, so they must be
/// thread-safe.
class resources {
public:
    /// Adds an object. If there is already one of this type, that one stays in use.
    template <class T>
    resources& add(T& object) {
        entries_.emplace_back(std::type_index{typeid(T)}, &object);
        return *this;
    }

    /// The object of this type; null if none was added.
    template <class T>
    T* find() const noexcept {
        const auto same = [](const auto& e) { return e.first == std::type_index{typeid(T)}; };
        const auto found = std::find_if(entries_.begin(), entries_.end(), same);
        return found == entries_.end() ? nullptr : static_cast<T*>(found->second);
    }

    /// The object of this type. Throws std::out_of_range if none was added.
    template <class T>
    T& get() const {
        if (T* found = find<T>()) return *found;
        throw std::out_of_range{std::string{"no resource of this type was added to the worker: "} + typeid(T).name()};
    }

private:
    std::vector<std::pair<std::type_index, void*>> entries_;
};

}  // namespace pgq
