// Labels and predictions swapped in a confusion matrix turn recall into precision unnoticed: here they do not compile.
// expects: no matching function for call to .*Confusion|no matching constructor for initialization of 'Confusion'
#include <vector>

#include <skewgrad/evaluate/confusion.hpp>

using namespace skewgrad;

inline Confusion allowed(const std::vector<Label>& labels, const std::vector<Prediction>& predicted) {
    return Confusion(10, labels, predicted);
}

#ifdef SKEWGRAD_MUST_FAIL
inline Confusion refused(const std::vector<Label>& labels, const std::vector<Prediction>& predicted) {
    return Confusion(10, predicted, labels);
}
#endif
