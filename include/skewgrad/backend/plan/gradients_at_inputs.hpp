// How a stage's input gradients join others that are there already.
#pragma once
#include <skewgrad/backend/plan/stage.hpp>

namespace SKEWGRAD_NAMESPACE::plan {

/// The gradients at a stage's inputs. `gradient(value)` says where a value's stands, null where it is not wanted;
/// `add(value, into)` adds the spare gradient to the one that is there already.
template <class B, class Gradient, class Add>
void gradients_at_inputs(AnyCall<B>& call, Gradient gradient, void* spare, Add add) {
    const Site<B>& site = call.site;
    void* in = gradient(site.in_value);
    void* second = site.second_value < 0 ? nullptr : gradient(site.second_value);
    if (!in && !second) return;
    call.d_in = in && site.adds_to_in ? spare : in;
    call.d_second = second && site.adds_to_second ? nullptr : second;
    site.ops->backward_data(call);
    if (in && site.adds_to_in) add(site.in_value, in);
    if (second && site.adds_to_second) {  // both operands of a join have the same gradient
        call.d_in = nullptr;
        call.d_second = spare;
        site.ops->backward_data(call);
        add(site.second_value, second);
    }
}

}  // namespace SKEWGRAD_NAMESPACE::plan
