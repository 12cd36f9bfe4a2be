// Non-owning reference to a callable: a virtual or compiled-once function takes any callable, without allocation.
#pragma once
#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include <skewgrad/core/config.hpp>

namespace SKEWGRAD_NAMESPACE {

/// Refers to a callable for the length of a call: the receiver calls it before it returns, or never.
template <class Signature>
class FunctionRef;

template <class R, class... A>
class FunctionRef<R(A...)> {
public:
    template <class F>
        requires(!std::same_as<std::remove_cvref_t<F>, FunctionRef> && std::is_invocable_r_v<R, F&, A...>)
    FunctionRef(F&& f) noexcept  // NOLINT: implicit, as std::function's
        : object_(const_cast<void*>(static_cast<const void*>(std::addressof(f)))), call_([](void* object, A... a) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(object))(std::forward<A>(a)...);
          }) {}
    R operator()(A... a) const { return call_(object_, std::forward<A>(a)...); }

private:
    void* object_;
    R (*call_)(void*, A...);
};

}  // namespace SKEWGRAD_NAMESPACE
