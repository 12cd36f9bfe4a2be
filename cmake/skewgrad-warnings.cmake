# Warnings for this project's own tests, examples and benchmarks; never part of what a user links.
option(SKEWGRAD_WARNINGS "Build this project's own programs with warnings as errors" ON)

add_library(skewgrad_warnings INTERFACE)
if(SKEWGRAD_WARNINGS)
    target_compile_options(skewgrad_warnings INTERFACE
        $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Werror>)
endif()
