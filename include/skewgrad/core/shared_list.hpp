// A list of values that never change, which copies share.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

template <class T>
class SharedList {
public:
    SharedList() = default;
    SharedList(std::vector<T> values) : values_(std::make_shared<const std::vector<T>>(std::move(values))) {}

    const std::vector<T>& values() const {
        static const std::vector<T> none;
        return values_ ? *values_ : none;
    }
    operator const std::vector<T>&() const { return values(); }

    std::size_t size() const { return values().size(); }
    bool empty() const { return values().empty(); }
    const T& operator[](std::size_t i) const { return values()[i]; }
    auto begin() const { return values().begin(); }
    auto end() const { return values().end(); }
    friend bool operator==(const SharedList& a, const SharedList& b) { return a.values() == b.values(); }

private:
    std::shared_ptr<const std::vector<T>> values_;
};

}  // namespace SKEWGRAD_NAMESPACE
