// A user's unit that is never built: its flags, as CMake derives them from our targets, are what a test looks at.
#include <skewgrad/core/config.hpp>
