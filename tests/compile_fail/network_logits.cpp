// A network must end in one value a class, not in a picture.
// expects: a network's last layer must give one value a class
#include <skewgrad/backend/cpu/cpu.hpp>
#include <skewgrad/model/model.hpp>

using namespace skewgrad;

using Allowed = Model<Network<Image<3, 8, 8>, Conv<10>, AveragePool<8>>, Cpu<f32>>;
static_assert(sizeof(Allowed) > 0);

#ifdef SKEWGRAD_MUST_FAIL
using Refused = Model<Network<Image<3, 8, 8>, Conv<10>, AveragePool<4>>, Cpu<f32>>;
static_assert(sizeof(Refused) > 0);
#endif
